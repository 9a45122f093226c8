#include "report/point.h"

namespace muxbench {

std::string to_string(const Point& point) {
  std::string text;
  for (const auto& [key, value] : point) {
    if (!text.empty()) text += '/';
    text += key + ':' + std::to_string(value);
  }
  return text;
}

}  // namespace muxbench
