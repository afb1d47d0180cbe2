// The common part of SRAM banks, DRAM, configuration ports and the host link: bits pass one after another at a rate.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "bitgrid_sim/systemc/platform.h"

namespace bitgrid::platform {

/// The cycles in which a transfer occupied its channel, starting at `begin`, and the cycle in which its data was available.
struct Span {
  uint64_t begin = 0;
  uint64_t end = 0;
  uint64_t asked = 0;
};

class Channel {
 public:
  /// `track` says where to draw it, if at all. bits_per_cycle 0 means any number of bits in no time.
  Channel(std::string name, int bits_per_cycle, Track* track)
      : result_{std::move(name), 0, 0, 0}, rate_(static_cast<uint64_t>(bits_per_cycle)), track_(track) {}

  /// Takes `bits` from cycle `now` on, after everything that it was given before. The end of one transfer and the beginning of the next may
  /// share a cycle: back-to-back transfers take ceil(total bits / rate).
  Span take(uint64_t now, uint64_t bits, uint64_t bytes, uint32_t label) {
    ++result_.transactions;
    result_.bytes += bytes;
    if (rate_ == 0 || bits == 0) return {now, now, now};
    const uint64_t first = std::max(now * rate_, next_bit_);
    next_bit_ = first + bits;
    const Span span{std::max(first / rate_, busy_until_), (next_bit_ + rate_ - 1) / rate_, now};
    busy_until_ = span.end;
    result_.busy_cycles += span.end - span.begin;
    if (track_ && span.end > span.begin) draw({Activity::kTransfer, label, span.begin, span.end, bytes});
    return span;
  }

  const BusResult& result() const { return result_; }
  /// Discards what was counted and drawn.
  void restart() {
    result_ = {result_.name, 0, 0, 0};
    if (track_) track_->intervals.clear();
  }

 private:
  void draw(const Interval& interval) {
    auto& drawn = track_->intervals;
    if (!drawn.empty() && drawn.back().end == interval.begin && drawn.back().label == interval.label) {
      drawn.back().end = interval.end;
      drawn.back().bytes += interval.bytes;
    } else {
      drawn.push_back(interval);
    }
  }

  BusResult result_;
  uint64_t rate_;
  uint64_t next_bit_ = 0;    // cycle * rate of the first bit that is free
  uint64_t busy_until_ = 0;  // cycle
  Track* track_;
};

}  // namespace bitgrid::platform
