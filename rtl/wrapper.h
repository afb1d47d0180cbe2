// The C++ next to a verilated module: plain functions that dlsym finds.
#pragma once

#include <string>

#include "rtl/interface.h"

namespace bitgrid::rtl {

/// The class name prefix that Verilator is given.
inline constexpr const char* kVerilatedClass = "Vkernel";

/// Returns source that defines RtlModel::Functions as bitgrid_create, bitgrid_destroy and bitgrid_clock.
std::string wrapper_source(const RtlInterface& interface);

/// Compares the ports that Verilator found (in the header that it wrote) with the interface. Throws Error, which names `source`.
void check_ports(const std::string& verilated_header, const RtlInterface& interface, const std::string& source);

}  // namespace bitgrid::rtl
