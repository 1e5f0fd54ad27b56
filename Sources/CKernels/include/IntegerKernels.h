#ifndef FETTLE_INTEGER_KERNELS_H
#define FETTLE_INTEGER_KERNELS_H

#include "InstructionSet.h"

#endif
