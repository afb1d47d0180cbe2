// Marks loops over many numbers that the compiler should vectorise. The rest of the program is built with -O2. BITGRID_VECTORISED uses only
// the vector instructions that every processor of the architecture has. BITGRID_VECTORISED_CLONES, for functions that are not templates,
// compiles a second copy for AVX2 and chooses at program start. AVX2 alone has no fused multiply-add, so both copies round alike.
// BITGRID_VECTORISED_INTEGERS, for such functions without floating point, adds a third copy for AVX-512.
#pragma once

#if defined(__GNUC__) && !defined(__clang__)
#define BITGRID_VECTORISED __attribute__((optimize("O3")))
#else
#define BITGRID_VECTORISED
#endif

#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__)
#define BITGRID_VECTORISED_CLONES __attribute__((optimize("O3"), target_clones("default", "avx2")))
#define BITGRID_VECTORISED_INTEGERS __attribute__((optimize("O3"), target_clones("default", "avx2", "arch=x86-64-v4")))
#else
#define BITGRID_VECTORISED_CLONES BITGRID_VECTORISED
#define BITGRID_VECTORISED_INTEGERS BITGRID_VECTORISED
#endif

// Put this before a loop of up to 16 iterations to unroll it completely, so that arrays of vectors stay in registers.
#if defined(__clang__)
#define BITGRID_UNROLL _Pragma("unroll")
#else
#define BITGRID_UNROLL _Pragma("GCC unroll 16")
#endif
