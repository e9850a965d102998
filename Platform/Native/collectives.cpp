// Stores, groups and collectives for managed callers. A waiting call ends within moments of an abort, whatever the backend's own
// timeouts say: what the backend still has under way is then left to it, and so is its memory, because its threads may yet write there.
#include "collectives.h"

#include <chrono>
#include <cstring>
#include <iostream>
#include <stdexcept>

using namespace recsys;

#ifdef RECSYS_C10D
namespace recsys {
namespace {

// Kept in step with Recsys.Torch.ReduceOp.
c10d::ReduceOp to_op(int32_t op) {
  switch (op) {
    case 0: case 1: return c10d::ReduceOp::SUM;  // an average is a sum, divided
    case 2: return c10d::ReduceOp::PRODUCT;
    case 3: return c10d::ReduceOp::MIN;
    case 4: return c10d::ReduceOp::MAX;
    default: throw std::invalid_argument("no such reduction: " + std::to_string(op));
  }
}

template <typename T>
T& to(void* handle, const char* what) {
  if (handle == nullptr) {
    throw std::invalid_argument(std::string("a null ") + what);
  }
  return *static_cast<T*>(handle);
}

at::Tensor dense(void* handle) {
  auto t = share(handle);
  TORCH_CHECK(t.layout() == at::kStrided && t.is_contiguous(), "a collective takes dense contiguous tensors; call contiguous() first");
  return t.detach();
}

void give_work(std::unique_ptr<Pending> pending, void** result) { *result = pending.release(); }

// Gloo of libtorch 2 tells on standard output whom it has met; that belongs to the caller's answers, so it goes to standard error.
struct NoChatter {
  std::streambuf* output = std::cout.rdbuf(std::cerr.rdbuf());
  ~NoChatter() { std::cout.rdbuf(output); }
};

c10::intrusive_ptr<Engine> make_engine(Group& group, const std::string& backend, std::chrono::milliseconds timeout, const char* interface_or_host, bool is_interface) {
#ifdef RECSYS_GLOO
  if (backend == "gloo") {
    auto options = c10d::ProcessGroupGloo::Options::create(timeout);
    options->devices.push_back(is_interface ? c10d::ProcessGroupGloo::createDeviceForInterface(interface_or_host)
                               : interface_or_host && *interface_or_host ? c10d::ProcessGroupGloo::createDeviceForHostname(interface_or_host)
                                                                         : c10d::ProcessGroupGloo::createDefaultDevice());
    options->threads = 2;
    NoChatter quiet;
    return c10::make_intrusive<c10d::ProcessGroupGloo>(group.store, group.rank, group.size, options);
  }
#endif
#ifdef RECSYS_NCCL
  if (backend == "nccl") {
    auto options = c10d::ProcessGroupNCCL::Options::create();
    options->timeout = timeout;
    group.nccl = true;
    return c10::make_intrusive<c10d::ProcessGroupNCCL>(group.store, group.rank, group.size, options);
  }
#endif
  throw std::invalid_argument("this libtorch has no backend '" + backend + "'");
}

}  // namespace

std::unique_ptr<Pending> follow(const Group& group, WorkHandle work, std::vector<at::Tensor> tensors, std::function<void()> after) {
  auto pending = std::make_unique<Pending>();
  pending->work = std::move(work);
  pending->watch = group.watch;
  pending->tensors = std::move(tensors);
  pending->after = std::move(after);
  pending->nccl = group.nccl;
  if (!group.nccl) {
    auto watch = group.watch;
    auto completed = pending->completed;
    pending->work->getFuture()->addCallback([watch, completed](c10::ivalue::Future&) {
      std::lock_guard<std::mutex> lock(watch->mutex);
      *completed = true;
      watch->changed.notify_all();
    });
  }
  return pending;
}

std::unique_ptr<Pending> all_reduce(Group& group, at::Tensor tensor, int32_t op) {
  c10d::AllreduceOptions options;
  options.reduceOp = to_op(op);
  std::vector<at::Tensor> list{tensor};
  auto work = group.engine->allreduce(list, options);
  int size = group.size;
  return follow(group, std::move(work), list, op == 1 ? std::function<void()>([tensor, size]() mutable { tensor.div_(size); }) : std::function<void()>());
}

Outcome wait(Pending& pending, int64_t milliseconds) {
  if (!pending.nccl) {
    std::unique_lock<std::mutex> lock(pending.watch->mutex);
    auto ended = [&] { return *pending.completed || pending.watch->aborted; };
    if (milliseconds < 0) {
      pending.watch->changed.wait(lock, ended);
    } else if (!pending.watch->changed.wait_for(lock, std::chrono::milliseconds(milliseconds), ended)) {
      fail(kTorch, "the time is up");
      return kTimedOut;
    }
    if (!*pending.completed) {
      fail(kTorch, pending.watch->reason.c_str());
      return kAborted;
    }
  }
  try {
    at::NoGradGuard no_grad;
    if (pending.work) {
      pending.work->wait();  // NCCL: the caller's stream waits, the caller does not
      pending.work.reset();
      if (pending.after) {
        pending.after();
      }
    }
    return kDone;
  } catch (...) {
    fail_current();
    return kFailed;
  }
}

}  // namespace recsys
#endif

// bit 0 Gloo, 1 NCCL.
RS_EXPORT int32_t rs_dist_backends() {
  int32_t bits = 0;
#ifdef RECSYS_GLOO
  bits |= 1;
#endif
#ifdef RECSYS_NCCL
  bits |= 2;
#endif
  return bits;
}

#ifndef RECSYS_C10D
#define RECSYS_WITH_C10D(body) \
  return guarded([&] { throw std::invalid_argument("this build of the native library has no collectives: its libtorch lacks c10d with Gloo or NCCL, or their headers (Debian: libgloo-dev)"); })
#else
#define RECSYS_WITH_C10D(...) return guarded([&] __VA_ARGS__)
#endif

// port 0: any free one; the port in use comes back.
RS_EXPORT int32_t rs_store_new(const char* host, int32_t port, int32_t is_server, int64_t timeout_ms, int32_t* bound, void** result) {
  RECSYS_WITH_C10D({
    required(host, bound, result);
    if (port < 0 || port > 65535) throw std::invalid_argument("no port has the number " + std::to_string(port));
    c10d::TCPStoreOptions options;
    options.port = static_cast<std::uint16_t>(port);
    options.isServer = is_server != 0;
    options.waitWorkers = false;
    options.timeout = std::chrono::milliseconds(timeout_ms);
    auto store = c10::make_intrusive<c10d::TCPStore>(host, options);
    *bound = store->getPort();
    *result = new c10::intrusive_ptr<c10d::Store>(std::move(store));
  });
}

// The same store with every key below a prefix.
RS_EXPORT int32_t rs_store_prefix(void* store, const char* prefix, void** result) {
  RECSYS_WITH_C10D({
    required(prefix, result);
    auto& inner = to<c10::intrusive_ptr<c10d::Store>>(store, "store");
    *result = new c10::intrusive_ptr<c10d::Store>(c10::make_intrusive<c10d::PrefixStore>(prefix, inner));
  });
}

RS_EXPORT void rs_store_free(void* store) {
#ifdef RECSYS_C10D
  guarded([&] { delete static_cast<c10::intrusive_ptr<c10d::Store>*>(store); });
#endif
}

RS_EXPORT int32_t rs_store_set(void* store, const char* key, const uint8_t* data, int64_t length) {
  RECSYS_WITH_C10D({ required(key); required_list(data, length); to<c10::intrusive_ptr<c10d::Store>>(store, "store")->set(key, std::vector<uint8_t>(data, data + length)); });
}

// Waits for the key, at most the store's timeout. length is the value's own; no more than capacity bytes are copied.
RS_EXPORT int32_t rs_store_get(void* store, const char* key, uint8_t* data, int64_t capacity, int64_t* length) {
  RECSYS_WITH_C10D({
    required(key, length);
    required_list(data, capacity);
    auto value = to<c10::intrusive_ptr<c10d::Store>>(store, "store")->get(key);
    *length = static_cast<int64_t>(value.size());
    std::memcpy(data, value.data(), static_cast<size_t>(std::min<int64_t>(capacity, *length)));
  });
}

RS_EXPORT int32_t rs_store_add(void* store, const char* key, int64_t amount, int64_t* sum) {
  RECSYS_WITH_C10D({ required(key, sum); *sum = to<c10::intrusive_ptr<c10d::Store>>(store, "store")->add(key, amount); });
}

// address: an interface's name (is_interface), a host or address of this machine, or empty for what its host name stands for. Gloo only.
RS_EXPORT int32_t rs_group_new(void* store, const char* backend, int32_t rank, int32_t size, int64_t timeout_ms, const char* address, int32_t is_interface, void** result) {
  RECSYS_WITH_C10D({
    required(backend, result);
    if (size < 1 || rank < 0 || rank >= size) throw std::invalid_argument("rank " + std::to_string(rank) + " of " + std::to_string(size));
    auto group = std::make_unique<Group>();
    group->store = to<c10::intrusive_ptr<c10d::Store>>(store, "store");
    group->rank = rank;
    group->size = size;
    group->engine = make_engine(*group, backend, std::chrono::milliseconds(timeout_ms), address, is_interface != 0);
    *result = group.release();
  });
}

// Ends every wait on this group, now and later, with this reason. The first reason stays.
RS_EXPORT int32_t rs_group_abort(void* group, const char* reason) {
  RECSYS_WITH_C10D({
    required(reason);
    auto& watch = *to<Group>(group, "group").watch;
    std::lock_guard<std::mutex> lock(watch.mutex);
    if (!watch.aborted) {
      watch.aborted = true;
      watch.reason = reason;
    }
    watch.changed.notify_all();
  });
}

// An aborted group is left as it is: taking it down would wait for what it has under way.
RS_EXPORT void rs_group_free(void* handle) {
#ifdef RECSYS_C10D
  guarded([&] {
    auto* group = static_cast<Group*>(handle);
    if (group == nullptr) {
      return;
    }
    bool aborted;
    {
      std::lock_guard<std::mutex> lock(group->watch->mutex);
      aborted = group->watch->aborted;
    }
    if (!aborted) {
      delete group;
    }
  });
#endif
}

RS_EXPORT int32_t rs_group_all_reduce(void* group, void* tensor, int32_t op, void** work) {
  RECSYS_WITH_C10D({ required(work); give_work(all_reduce(to<Group>(group, "group"), dense(tensor), op), work); });
}

RS_EXPORT int32_t rs_group_broadcast(void* group, void* tensor, int32_t source, void** work) {
  RECSYS_WITH_C10D({
    required(work);
    auto& g = to<Group>(group, "group");
    c10d::BroadcastOptions options;
    options.rootRank = source;
    options.rootTensor = 0;
    std::vector<at::Tensor> list{dense(tensor)};
    auto under_way = g.engine->broadcast(list, options);
    give_work(follow(g, std::move(under_way), list, {}), work);
  });
}

// outputs: one tensor of the input's shape for each rank.
RS_EXPORT int32_t rs_group_all_gather(void* group, void* const* outputs, int32_t count, void* input, void** work) {
  RECSYS_WITH_C10D({
    required(work);
    required_list(outputs, count);
    auto& g = to<Group>(group, "group");
    std::vector<std::vector<at::Tensor>> out(1);
    for (int32_t i = 0; i < count; i++) {
      out[0].push_back(dense(outputs[i]));
    }
    std::vector<at::Tensor> in{dense(input)};
    auto under_way = g.engine->allgather(out, in);
    auto kept = out[0];
    kept.push_back(in[0]);
    give_work(follow(g, std::move(under_way), std::move(kept), {}), work);
  });
}

// inputs: one tensor of the output's shape for each rank.
RS_EXPORT int32_t rs_group_reduce_scatter(void* group, void* output, void* const* inputs, int32_t count, int32_t op, void** work) {
  RECSYS_WITH_C10D({
    required(work);
    required_list(inputs, count);
    auto& g = to<Group>(group, "group");
    if (count != g.size) throw std::invalid_argument(std::to_string(count) + " parts for " + std::to_string(g.size) + " ranks");
    auto out = dense(output);
    std::vector<at::Tensor> parts;
    for (int32_t i = 0; i < count; i++) {
      parts.push_back(dense(inputs[i]));
    }
    if (g.nccl) {
      c10d::ReduceScatterOptions options;
      options.reduceOp = to_op(op);
      std::vector<at::Tensor> outs{out};
      std::vector<std::vector<at::Tensor>> ins{parts};
      auto under_way = g.engine->reduce_scatter(outs, ins, options);
      parts.push_back(out);
      int size = g.size;
      give_work(follow(g, std::move(under_way), std::move(parts), op == 1 ? std::function<void()>([out, size]() mutable { out.div_(size); }) : std::function<void()>()), work);
      return;
    }
    // Gloo reduces everywhere and keeps a part.
    auto whole = at::stack(parts);
    auto pending = all_reduce(g, whole, op);
    int64_t mine = g.rank;
    auto average = std::move(pending->after);
    pending->after = [whole, out, mine, average]() mutable {
      if (average) {
        average();
      }
      out.copy_(whole[mine]);
    };
    give_work(std::move(pending), work);
  });
}

RS_EXPORT int32_t rs_group_barrier(void* group, void** work) {
  RECSYS_WITH_C10D({
    required(work);
    auto& g = to<Group>(group, "group");
    auto under_way = g.engine->barrier();
    give_work(follow(g, std::move(under_way), {}, {}), work);
  });
}

RS_EXPORT int32_t rs_work_wait(void* work, int64_t timeout_ms, int32_t* outcome) {
  RECSYS_WITH_C10D({ required(outcome); *outcome = wait(to<Pending>(work, "work"), timeout_ms); });
}

RS_EXPORT int32_t rs_work_done(void* work, int32_t* done) {
  RECSYS_WITH_C10D({
    required(done);
    auto& pending = to<Pending>(work, "work");
    if (pending.nccl) {
      *done = !pending.work || pending.work->isCompleted();
      return;
    }
    std::lock_guard<std::mutex> lock(pending.watch->mutex);
    *done = *pending.completed;
  });
}

RS_EXPORT void rs_work_free(void* work) {
#ifdef RECSYS_C10D
  guarded([&] { delete static_cast<Pending*>(work); });
#endif
}
