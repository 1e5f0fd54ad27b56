#ifndef FETTLE_FIT_KERNELS_H
#define FETTLE_FIT_KERNELS_H

#include "InstructionSet.h"

#endif
