// The kernels of integer networks that are no matrices.
#pragma once

#include <cstdint>
#include <vector>

#include "ir/program.h"

namespace bitgrid::networks {

/// count + #{levels reached} of one sum. Inputs: "s" (sum_bits), "t" (levels words of sum_bits + 1), "d" (1 bit: 0 where a level is reached
/// by s >= t, 1 where by s < t), and with `first` false "n", the count so far (count_bits). Output "y" (count_bits).
Kernel count_kernel(uint32_t sum_bits, int levels, uint32_t count_bits, bool first);
/// The largest (or smallest) of `window` words each of `lanes` channels; a port for each place of the window.
Kernel pool_kernel(int window, int lanes, uint32_t bits, bool least);
/// y = x.
Kernel copy_word_kernel(uint32_t bits);
/// The kernel's first port as several, of so many words each; together they have as many as it has.
void split_first_input(Kernel& kernel, const std::vector<int>& words);

}  // namespace bitgrid::networks
