#include "trial/load_run.h"

namespace muxbench {

Result<LoadResult> run_load(const LoadRequest& request,
                            const std::function<void(Phase, pid_t load)>& on_phase) {
  auto session = LoadSession::start(request);
  if (!session) return session.error();
  const auto deadline = Clock::now() + request.timeout;
  for (;;) {
    const auto document = session->next(deadline);
    if (!document) return document.error();
    if (document->is_null()) return session->result();
    const auto phase = phase_of(*document);
    if (!phase) continue;
    on_phase(*phase, session->pid());
    if (*phase == Phase::connected || *phase == Phase::drained) session->say("go");
  }
}

}  // namespace muxbench
