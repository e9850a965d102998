// c10d behind the C ABI: a store, a group of ranks, and work that is under way. Everything that differs between the libtorch
// versions is named in the first block of this file and nowhere else.
#pragma once

#include "abi.h"

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#if defined(RECSYS_GLOO) || defined(RECSYS_NCCL)
#define RECSYS_C10D
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroup.hpp>
#if RS_TORCH_AT_LEAST(2, 0)
#include <torch/csrc/distributed/c10d/Backend.hpp>
#endif
#ifdef RECSYS_GLOO
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#endif
#ifdef RECSYS_NCCL
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>
#endif

namespace recsys {

// What the backends derive from: split off from ProcessGroup in 2.0.
#if RS_TORCH_AT_LEAST(2, 0)
using Engine = c10d::Backend;
#else
using Engine = c10d::ProcessGroup;
#endif
using WorkHandle = c10::intrusive_ptr<c10d::Work>;

// Kept in step with Recsys.Torch.Distributed.Outcome.
enum Outcome : int32_t { kDone = 0, kAborted = 1, kTimedOut = 2, kFailed = 3 };

// Who waits, and why nobody should any more. Outlives the group: threads of the backend still signal here after an abort.
struct Watch {
  std::mutex mutex;
  std::condition_variable changed;
  bool aborted = false;
  std::string reason;
};

struct Group {
  c10::intrusive_ptr<c10d::Store> store;
  c10::intrusive_ptr<Engine> engine;
  std::shared_ptr<Watch> watch = std::make_shared<Watch>();
  int rank = 0, size = 1;
  bool nccl = false;
};

// A collective under way: the tensors that it reads and writes live until it is freed.
struct Pending {
  WorkHandle work;
  std::shared_ptr<Watch> watch;
  std::shared_ptr<bool> completed = std::make_shared<bool>(false);  // under watch->mutex
  std::vector<at::Tensor> tensors;
  std::function<void()> after;  // once it is done, by the first who waits
  bool nccl = false;
};

std::unique_ptr<Pending> follow(const Group& group, WorkHandle work, std::vector<at::Tensor> tensors, std::function<void()> after);
std::unique_ptr<Pending> all_reduce(Group& group, at::Tensor tensor, int32_t op);

// Blocks until the work is done, the group is aborted or the time is up (below 0: no limit); the reason is the thread's last error.
Outcome wait(Pending& pending, int64_t milliseconds);

}  // namespace recsys
#endif
