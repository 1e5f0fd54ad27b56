// The block fit for every processor.
#include "BlockFitEntry.h"

#define BLOCK_FIT_ISA scalar
#include "BlockFitBody.h"
