#include "run/journal.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "analysis/measured_report.h"
#include "base/file.h"
#include "run/make_report.h"
#include "run/record_fields.h"
#include "trial/trial_fields.h"

namespace muxbench {

template <>
struct Fields<RoundTime> {
  static void each(auto& time, const auto& use) {
    use("opening", time.opening);
    use("block", time.block);
    use("counting", time.counting);
  }
};

template <>
struct Fields<Outcome> {
  static void each(auto& outcome, const auto& use) {
    use("kind", outcome.kind);
    use("result", outcome.result);
  }
};

template <>
struct Fields<Step> {
  static void each(auto& step, const auto& use) {
    use("place", step.place);
    use("ended", step.ended);
    use("took", step.took);
    use("outcomes", step.outcomes);
  }
};

namespace {

constexpr const char* kName = "journal.jsonl";
constexpr int kFormat = 1;

std::string path_in(const std::string& folder) { return folder + "/" + kName; }

// A line that somebody changed must not lead beyond a list.
bool fits(const RunRecord& record, const Step& step) {
  return !step.outcomes.empty() &&
         std::all_of(step.outcomes.begin(), step.outcomes.end(), [&](const Outcome& outcome) {
           return outcome.result.cell < record.cells.size();
         });
}

bool fits(const RunRecord& record) {
  return record.command_line.size() >= 2 &&  // "muxbench", "run"
         std::all_of(record.cells.begin(), record.cells.end(), [&](const Cell& cell) {
           return cell.model < record.models.size() && cell.experiment < record.experiments.size();
         });
}

// Throws Json::exception where it is no such line.
bool read_plan(const Json& line, JournalContent& content) {
  if (line.at("muxbench_journal") != kFormat) return false;
  content.working_folder = line.at("working_folder").get<std::string>();
  content.record = from_fields<RunRecord>(line.at("record"));
  content.order = from_fields<std::vector<PlannedTrial>>(line.at("order"));
  return fits(content.record);
}

bool read_line(const Json& line, JournalContent& content) {
  if (line.contains("cut")) {
    const Json& cut = line.at("cut");
    content.cuts[cut.at("place").get<std::size_t>()] =
        from_fields<std::set<std::size_t>>(cut.at("experiments"));
    return true;
  }
  Step step = from_fields<Step>(line.at("step"));
  if (!fits(content.record, step)) return false;
  content.used = std::max(content.used, step.ended);
  content.steps[step.place] = std::move(step);  // one that was run again counts
  return true;
}

bool understood(std::string_view text, JournalContent& content, bool first) try {
  const Json line = Json::parse(text);
  return first ? read_plan(line, content) : read_line(line, content);
} catch (const Json::exception&) {
  return false;
}

// What numbers depend on, and what the places in a journal mean.
std::map<std::string, std::string> premises_of(const RunRecord& record,
                                               const std::vector<PlannedTrial>& order) {
  std::map<std::string, std::string> premises{
      {"muxbench: sha256", record.driver_sha256},
      {"plan: cells", to_fields(record.cells).dump()},
      {"plan: order of the trials", to_fields(order).dump()},
      {"counting", to_fields(record.backends).dump()}};
  const auto report = measured_report(make_report(record));
  if (!report) return premises;
  premises.insert(report->conditions.begin(), report->conditions.end());
  premises.insert(report->identities.begin(), report->identities.end());
  return premises;
}

std::string difference(const std::string& premise, const std::string& then,
                       const std::string& now) {
  constexpr std::size_t kReadable = 100;
  if (std::max(then.size(), now.size()) > kReadable) return premise;
  const auto said = [](const std::string& value) { return value.empty() ? "nothing" : value; };
  return fmt::format("{}: {} then, {} now", premise, said(then), said(now));
}

}  // namespace

Result<Journal> Journal::create(const std::string& folder, const RunRecord& record,
                                const std::vector<PlannedTrial>& order) {
  const std::string path = path_in(folder);
  UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0644));
  if (!fd) return make_error("cannot write {}: {}", path, describe(last_errno()));
  Journal journal(path, std::move(fd));
  if (auto locked = journal.lock(); !locked) return locked.error();
  // One without a plan has nothing: its run was killed before it began.
  if (const auto earlier = read_file(path); earlier && earlier->find('\n') != std::string::npos) {
    return usage_error(
        "an unfinished run is in {}; `muxbench run --resume` goes on with it, or give another "
        "folder with --out",
        folder);
  }
  std::error_code ignored;
  const Json plan{{"muxbench_journal", kFormat},
                  {"working_folder", std::filesystem::current_path(ignored).string()},
                  {"record", to_fields(record)},
                  {"order", to_fields(order)}};
  if (auto written = journal.append(plan); !written) {
    journal.remove();
    return written.error();
  }
  return journal;
}

Result<Journal> Journal::reopen(const std::string& folder) {
  const std::string path = path_in(folder);
  UniqueFd fd(::open(path.c_str(), O_RDWR | O_APPEND | O_NOFOLLOW | O_CLOEXEC));
  if (!fd && errno == ENOENT) {
    return usage_error(
        "there is no {} in {}: its run has ended with a complete report, or it is no folder of a "
        "run",
        kName, folder);
  }
  if (!fd) return usage_error("cannot open {}: {}", path, describe(last_errno()));
  Journal journal(path, std::move(fd));
  if (auto locked = journal.lock(); !locked) return locked.error();
  if (auto read = journal.read(); !read) return read.error();
  return journal;
}

Result<> Journal::lock() const {
  if (::flock(fd_.get(), LOCK_EX | LOCK_NB) == 0) return {};
  return usage_error("the run that writes {} goes on; wait for its end, or stop it", path_);
}

Result<> Journal::read() {
  const auto text = read_file(path_);
  if (!text) return text.error();
  std::size_t line = 0;
  for (std::size_t next = 0; (next = text->find('\n', end_)) != std::string::npos; ++line) {
    const std::string_view whole(text->data() + end_, next - end_);
    if (!understood(whole, content_, line == 0)) {
      return usage_error("{}: line {} is not of a journal of this version of muxbench", path_,
                         line + 1);
    }
    end_ = next + 1;
  }
  if (line > 0) return {};
  return usage_error("{} has no plan: its run was killed before it began; begin it anew", path_);
}

Result<> Journal::append(const Json& line) {
  const std::string text = line.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  // What a kill or a full disk left of a line is no part of the next one.
  bool good = ::ftruncate(fd_.get(), static_cast<off_t>(end_)) == 0;
  for (std::string_view left = text; good && !left.empty();) {
    const ssize_t written = ::write(fd_.get(), left.data(), left.size());
    if (written < 0 && errno == EINTR) continue;
    good = written > 0;
    if (good) left.remove_prefix(static_cast<std::size_t>(written));
  }
  if (!good || ::fdatasync(fd_.get()) != 0) {
    return make_error("cannot write {}: {}", path_, describe(last_errno()));
  }
  end_ += text.size();
  return {};
}

Result<> Journal::note(const Step& step) { return append({{"step", to_fields(step)}}); }

Result<> Journal::note_cut(std::size_t place, const std::set<std::size_t>& experiments) {
  return append({{"cut", {{"place", place}, {"experiments", to_fields(experiments)}}}});
}

void Journal::remove() const noexcept { ::unlink(path_.c_str()); }

RunRecord recorded(const JournalContent& content) {
  RunRecord record = content.record;
  Patience patience;
  for (const auto& [place, step] : content.steps) add_step(record, patience, step);
  record.planned_trials = std::max(record.planned_trials, record.trials.size());
  record.interrupted = true;
  record.finished = record.started + content.used;
  return record;
}

Result<> check_same(const JournalContent& content, const RunRecord& record,
                    const std::vector<PlannedTrial>& order) {
  auto before = premises_of(content.record, content.order);
  auto now = premises_of(record, order);
  for (const auto& [premise, value] : now) before.try_emplace(premise);  // nothing is another value
  for (const auto& [premise, value] : before) {
    const std::string& found = now[premise];
    if (found == value) continue;
    return usage_error(
        "the run cannot go on, as it began under other conditions ({}); `muxbench report` makes a "
        "report of what it has",
        difference(premise, value, found));
  }
  return {};
}

}  // namespace muxbench
