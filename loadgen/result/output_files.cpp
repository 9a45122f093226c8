#include "result/output_files.h"

#include <fcntl.h>
#include <unistd.h>

#include <tuple>

#include "base/output.h"
#include "metrics/hgrm.h"
#include "result/result_json.h"
#include "result/result_tables.h"
#include "result/summary.h"

namespace muxbench::loadgen {

Result<OutputFile> OutputFile::open(const std::string& name, std::string_view option) {
  OutputFile file;
  if (name.empty()) return file;
  if (name == "-") {
    file.name_ = "standard output";
    file.fd_ = UniqueFd(::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3));
    if (file.fd_) return file;
    return make_error("cannot write standard output: {}", describe(last_errno()));
  }
  file.name_ = name;
  file.may_be_emptied_ = true;
  file.fd_ = UniqueFd(::open(name.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
  if (file.fd_) return file;
  return make_error("cannot write {}: {}; choose another file with {}", name,
                    describe(last_errno()), option);
}

Result<> OutputFile::write(std::string_view text) const {
  if (!fd_) return {};
  // A device or a pipe cannot be emptied, which does no harm.
  if (may_be_emptied_) [[maybe_unused]]
    const int ignored = ::ftruncate(fd_.get(), 0);
  while (!text.empty()) {
    const ssize_t written = ::write(fd_.get(), text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      return make_error("cannot write {}: {}; make room and run again", name_,
                        describe(last_errno()));
    }
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

Result<OutputFiles> OutputFiles::open(const Options& options) {
  OutputFiles outputs;
  for (const auto& [file, name, option] :
       {std::tuple{&outputs.json_, options.json_on_stdout() ? std::string() : options.json,
                   "--json"},
        std::tuple{&outputs.hgrm_, options.hgrm, "--hgrm"},
        std::tuple{&outputs.csv_, options.csv, "--csv"}}) {
    Result<OutputFile> opened = OutputFile::open(name, option);
    if (!opened) return opened.error();
    *file = std::move(*opened);
  }
  return outputs;
}

Result<> OutputFiles::write(const std::vector<Step>& steps) const {
  if (json_) {
    if (auto written = json_.write(to_json(steps, false) + "\n"); !written) return written;
  }
  if (auto written = hgrm_.write(to_hgrm(steps.back().result.latency)); !written) return written;
  return csv_.write(to_csv(steps));
}

int OutputFiles::write_all(const Options& options, const std::vector<Step>& steps,
                           std::string_view program) const {
  if (options.json_on_stdout()) print("{}\n", to_json(steps, true));
  if (const Result<> written = write(steps); !written) return print_error(program, written.error());
  const RunResult& worst = worst_of(steps);
  if (const std::string why = why_failed(worst); options.quiet && !why.empty()) {
    return print_error(program, Error{.message = why});
  }
  return worst.exit_status();
}

}  // namespace muxbench::loadgen
