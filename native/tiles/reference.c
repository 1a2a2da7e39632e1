#define ISA reference
#include "template.h"
