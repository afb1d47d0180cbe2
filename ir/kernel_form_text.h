// The text of a matrix form. It keeps tests readable and lets people inspect a wrong form.
#pragma once

#include <string>
#include <string_view>

#include "ir/kernel_form.h"

namespace bitgrid {

/// Each column, sum, row of digits and count has one line. `#` begins a comment. Numbers that are 0 (1 for `times`) are left out.
///
///     matrix slots=18 raw=16 clamp=1,10,4,low       # word length, what leaves at the row ends
///     column 0+4 max=15                             # first input bit + bits
///     column 4+4 max=15 shift=1
///     sum residual=8+4:max=15 times=3 plus=2        # the next rows are its digit planes, most significant first
///     row +- start=45                               # digits +1, 0, -1 of the columns
///     row residents=12:-1:1,13:-1:1 start_word=14+6:max=63
///     popcount inputs=2                             # the parallel form
///     count +- theta=1
///     part first=0 count=1 ii2                      # of the inputs
///     streamed table=8 sum=14 start_word=4+14       # the form of streamed weights: bits of a table entry and of the sum
///     add 0 table=0,3,5,8                           # first input bit of the code; what each code adds
///
/// parse_form(print(form)) returns an equal form.
std::string print(const KernelForm& form);

/// Throws Error with SOURCE:LINE, what is wrong, and how the line should read.
KernelForm parse_form(std::string_view text, const std::string& source = "form");

}  // namespace bitgrid
