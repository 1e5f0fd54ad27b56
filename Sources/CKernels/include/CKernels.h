// Everything that Swift sees of the kernels.
#ifndef FETTLE_CKERNELS_H
#define FETTLE_CKERNELS_H

#include "BlockFitKernels.h"
#include "FitKernels.h"
#include "FloatKernels.h"
#include "IndexCodeKernels.h"
#include "InstructionSet.h"
#include "IntegerKernels.h"
#include "IntegerOnlyKernels.h"
#include "ThreadPool.h"
#include "ZeroPoint.h"

#endif
