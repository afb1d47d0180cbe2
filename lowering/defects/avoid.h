// How a mapping that was made for a flawless fabric comes to terms with defects.
#pragma once

#include "ir/defects.h"
#include "ir/mapped_kernel.h"
#include "lowering/systolic.h"

namespace bitgrid {

/// `mapped` itself where it relies on no defect; else the same matrix as a systolic array laid around them (the only form that can be).
/// Throws Error as map_systolic_around does.
MappedKernel avoid_defects(const MappedKernel& mapped, const SystolicForm& serial, const Defects& defects);

/// Throws Error (kernel, cell, cure) if the mapping relies on a defect: for strategies that cannot go around one.
void require_sound(const MappedKernel& mapped, const Defects& defects);

}  // namespace bitgrid
