#include "core/tensor.h"
int own_tensor() { return 7; }
