// Where the words of a feature map lie in memory, and what a window reads of them.
#pragma once

#include <vector>

#include "ir/integer_network.h"

namespace bitgrid::networks {

/// How a feature map lies in memory: row, column, channel, with a border around it.
struct MapLayout {
  FeatureMap map;
  int top = 0, left = 0, bottom = 0, right = 0;

  int row_words() const { return (map.width + left + right) * map.channels; }
  int words() const { return (map.height + top + bottom) * row_words(); }
  /// Of the element in the order of ONNX.
  size_t at(int channel, int y, int x) const { return static_cast<size_t>((y + top) * row_words() + (x + left) * map.channels + channel); }
};

/// Of a map that such windows read, with the border that they reach into.
MapLayout layout_for(const FeatureMap& map, const FeatureMap& out, const Window& window);
bool is_padded(const MapLayout& layout);

/// Words of a window that lie side by side in memory.
struct WindowPiece {
  int first = 0;  // in the map's memory, of the window at the origin
  int words = 0;
};
/// The words first .. of a window over one group of channels, in the order row, column, channel; `first_channel` is the group's.
std::vector<WindowPiece> window_pieces(const NetworkMatrix& matrix, const MapLayout& layout, int first, int words, int first_channel);

/// Runs of words outside of the map; each is of whole places.
std::vector<WindowPiece> border_runs(const MapLayout& layout);

}  // namespace bitgrid::networks
