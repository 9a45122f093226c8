// GitHub Flavored Markdown (https://github.github.com/gfm): paragraphs, lists and tables, to paste.
#include "export/exports.h"
#include "export/summary_markdown.h"

namespace muxbench {

std::string export_markdown(const report::Report& report) { return summary_markdown(report); }

}  // namespace muxbench
