// Integer-only execution, for the including file's instruction set.
#include "IntegerCode.h"
#include "IntegerOnlyNumbers.h"
#include "IntegerOnlyQuantize.h"
#include "IntegerOnlyProducts.h"
#include "IntegerOnlyElementwise.h"
#include "IntegerOnlyAttention.h"
#include "IntegerOnlyBody.h"
