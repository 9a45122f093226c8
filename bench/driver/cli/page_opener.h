// Shows the page of a run in the user's browser, by xdg-open(1).
#pragma once

#include <string>

#include "system/child_process.h"

namespace muxbench {

class PageOpener {
 public:
  // To be made before the process enters a network of its own, in which neither the display nor a
  // browser that already runs can be reached. An error says why no page can be opened here.
  static Result<PageOpener> make();

  // Comes back when the page is open, or after a few seconds where xdg-open itself is the browser.
  Result<> open(const std::string& page);

 private:
  explicit PageOpener(ChildProcess waiting) : waiting_(std::move(waiting)) {}
  ChildProcess waiting_;
};

}  // namespace muxbench
