// Codes of one block, both ways: the functions of the table in blocks.cc. The layouts are those of the public formats. `codes` holds the
// block's elements, `bytes` its code_bytes() bytes.
#pragma once

#include <cstdint>

namespace bitgrid::frontend {

void decode_q1_0(const uint8_t* bytes, int8_t* codes);  // 128: bit j % 8 of byte j / 8; 1 means 1, 0 means -1
void encode_q1_0(const int8_t* codes, uint8_t* bytes);
void decode_q2_0(const uint8_t* bytes, int8_t* codes);  // 64: bits 2 (j % 4) of byte j / 4, minus 1
void encode_q2_0(const int8_t* codes, uint8_t* bytes);
void decode_tq1_0(const uint8_t* bytes, int8_t* codes);  // 256: five ternary digits per byte, highest first
void encode_tq1_0(const int8_t* codes, uint8_t* bytes);
void decode_tq2_0(const uint8_t* bytes, int8_t* codes);  // 256: twice 32 bytes of four planes, lowest bits first
void encode_tq2_0(const int8_t* codes, uint8_t* bytes);
void decode_i2s_x86(const uint8_t* bytes, int8_t* codes);  // 128: 32 bytes of four planes, highest bits first
void encode_i2s_x86(const int8_t* codes, uint8_t* bytes);
void decode_i2s_arm(const uint8_t* bytes, int8_t* codes);  // 64: 16 bytes, the same
void encode_i2s_arm(const int8_t* codes, uint8_t* bytes);

}  // namespace bitgrid::frontend
