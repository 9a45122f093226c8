// One ordinary run of the load generator, with a call at each phase that it announces.
#pragma once

#include <functional>

#include "trial/load_session.h"

namespace muxbench {

// Its result, also one of status "failed"; an error when it gave none. It goes on after `connected`
// and after `drained` when the call has returned.
Result<LoadResult> run_load(const LoadRequest& request,
                            const std::function<void(Phase, pid_t load)>& on_phase);

}  // namespace muxbench
