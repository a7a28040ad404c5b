// A header of the program's own under a name that Eigengrad uses as well.
#pragma once
int own_tensor();
