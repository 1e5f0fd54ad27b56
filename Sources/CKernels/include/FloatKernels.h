#ifndef FETTLE_FLOAT_KERNELS_H
#define FETTLE_FLOAT_KERNELS_H

#include "InstructionSet.h"

#endif
