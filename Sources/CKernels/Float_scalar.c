#include "FloatTable.h"

#define TABLE fettle_float_scalar
#define LANES 4
#define TILE_ROWS 4
#include "FloatBody.h"
