#include "lowering/networks/map_layout.h"

#include <algorithm>

namespace bitgrid::networks {

MapLayout layout_for(const FeatureMap& map, const FeatureMap& out, const Window& w) {
  MapLayout layout{map, w.top, w.left, 0, 0};
  layout.bottom = std::max(0, (out.height - 1) * w.stride_y + w.height - w.top - map.height);
  layout.right = std::max(0, (out.width - 1) * w.stride_x + w.width - w.left - map.width);
  return layout;
}

bool is_padded(const MapLayout& l) {
  return l.top + l.left + l.bottom + l.right > 0;
}

std::vector<WindowPiece> window_pieces(const NetworkMatrix& m, const MapLayout& layout, int first, int words, int first_channel) {
  const int depth = m.in.channels / m.groups;
  const int run = m.groups == 1 ? m.window.width * depth : depth;  // all words of a row of the window lie side by side, or those of a place
  std::vector<WindowPiece> pieces;
  for (int at = first; at < first + words;) {
    const int n = std::min(first + words, (at / run + 1) * run) - at;
    const int row = at / (m.window.width * depth), column = at / depth % m.window.width, channel = at % depth;
    pieces.push_back({row * layout.row_words() + column * m.in.channels + first_channel + channel, n});
    at += n;
  }
  return pieces;
}

std::vector<WindowPiece> border_runs(const MapLayout& l) {
  std::vector<WindowPiece> runs;
  int end = 0;  // of the words of the map before
  for (int y = 0; y < l.map.height; ++y) {
    const auto begin = static_cast<int>(l.at(0, y, 0));
    if (begin > end) runs.push_back({end, begin - end});
    end = begin + l.map.width * l.map.channels;
  }
  if (l.words() > end) runs.push_back({end, l.words() - end});
  return runs;
}

}  // namespace bitgrid::networks
