#define ISA reference
#define WIDTH 8
#include "template.h"
