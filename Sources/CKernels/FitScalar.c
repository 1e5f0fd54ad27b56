// The fit kernels for every processor.
#define ENTRY(name) fettle_fit_##name##_scalar
#include "FitEntries.h"

#include "FitBody.h"
