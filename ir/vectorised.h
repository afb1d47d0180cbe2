// A mark for loops over many numbers that the compiler should turn into vector instructions; the rest of the program is built with -O2.
#pragma once

#if defined(__GNUC__) && !defined(__clang__)
#define BITGRID_VECTORISED __attribute__((optimize("O3")))
#else
#define BITGRID_VECTORISED
#endif
