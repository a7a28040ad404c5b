#pragma once
struct OwnModule {};
