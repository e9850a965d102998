// The gradients of a data-parallel training: laid into flat buckets in the order in which backward makes them, each bucket summed over
// the ranks as soon as it is full. Buckets start in the same order on every rank. (Design: Li et al. 2020, PyTorch Distributed.)
#include "collectives.h"
#include "torch_versions.h"

#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/function_hook.h>
#include <torch/csrc/autograd/variable.h>

#include <atomic>
#include <stdexcept>

#ifdef RECSYS_C10D
namespace recsys {
namespace {

struct Bucket {
  at::Tensor flat;
  std::vector<size_t> members;
  size_t missing = 0;
  std::unique_ptr<Pending> sum;
};

struct Reducer : std::enable_shared_from_this<Reducer> {
  Group* group = nullptr;
  bool overlap = true, active = false;
  std::mutex mutex;  // backward of a CUDA graph runs on threads of its own
  std::vector<at::Tensor> parameters, views;
  std::vector<size_t> bucket_of;
  std::vector<char> ready;
  std::vector<Bucket> buckets;
  size_t next = 0;  // the first bucket that is not under way
  std::vector<NodePointer> nodes;

  void lay_out(int64_t bucket_bytes);
  void attach();
  void prepare();
  void arrived(size_t parameter);
  void launch_full();
  void launch(Bucket& bucket);
  Outcome finish(int64_t milliseconds, double* sums, int32_t count);
};

struct Arrival : torch::autograd::FunctionPostHook {
  std::weak_ptr<Reducer> reducer;
  size_t parameter;
  Arrival(std::weak_ptr<Reducer> r, size_t p) : reducer(std::move(r)), parameter(p) {}
  torch::autograd::variable_list operator()(const torch::autograd::variable_list& outputs, const torch::autograd::variable_list&) override {
    if (auto r = reducer.lock()) {
      r->arrived(parameter);
    }
    return outputs;
  }
};

// Backward meets the last parameters first.
void Reducer::lay_out(int64_t bucket_bytes) {
  views.resize(parameters.size());
  bucket_of.resize(parameters.size());
  std::vector<int64_t> filled;
  for (size_t i = parameters.size(); i-- > 0;) {
    const auto& p = parameters[i];
    int64_t bytes = p.numel() * static_cast<int64_t>(p.element_size());
    bool fits = !buckets.empty() && filled.back() + bytes <= bucket_bytes && parameters[buckets.back().members[0]].options().type_equal(p.options()) &&
                parameters[buckets.back().members[0]].device() == p.device();
    if (!fits) {
      buckets.emplace_back();
      filled.push_back(0);
    }
    buckets.back().members.push_back(i);
    bucket_of[i] = buckets.size() - 1;
    filled.back() += bytes;
  }
  for (auto& bucket : buckets) {
    int64_t total = 0, at = 0;
    for (auto i : bucket.members) total += parameters[i].numel();
    bucket.flat = at::zeros({total}, parameters[bucket.members[0]].options().requires_grad(false));
    for (auto i : bucket.members) {
      views[i] = bucket.flat.narrow(0, at, parameters[i].numel()).view(parameters[i].sizes());
      at += parameters[i].numel();
    }
  }
}

void Reducer::attach() {
  for (size_t i = 0; i < parameters.size(); i++) {
    auto node = torch::autograd::impl::grad_accumulator(parameters[i]);
    // Such a view calls itself a leaf that requires gradients, and has nowhere to keep one.
    TORCH_CHECK(node != nullptr, "a reducer takes leaves that have a gradient of their own; parameter ", i, " is a view of one, made while no gradients were recorded");
    node->add_post_hook(std::make_unique<Arrival>(weak_from_this(), i));
    nodes.push_back(std::move(node));  // else it dies with the graph, and the hook with it
  }
}

void Reducer::prepare() {
  std::lock_guard<std::mutex> lock(mutex);
  ready.assign(parameters.size(), 0);
  for (auto& bucket : buckets) {
    bucket.missing = bucket.members.size();
    bucket.sum.reset();
  }
  next = 0;
  active = true;
}

void Reducer::arrived(size_t parameter) {
  std::lock_guard<std::mutex> lock(mutex);
  if (!active || ready[parameter]) {
    return;
  }
  at::NoGradGuard no_grad;
  auto& gradient = parameters[parameter].mutable_grad();
  if (!gradient.defined()) {
    return;
  }
  if (gradient.data_ptr() != views[parameter].data_ptr()) {
    views[parameter].copy_(gradient);
    gradient = views[parameter];
  }
  ready[parameter] = 1;
  buckets[bucket_of[parameter]].missing--;
  if (overlap) {
    launch_full();
  }
}

void Reducer::launch_full() {
  while (next < buckets.size() && buckets[next].missing == 0) {
    launch(buckets[next++]);
  }
}

void Reducer::launch(Bucket& bucket) { bucket.sum = all_reduce(*group, bucket.flat, 0); }

Outcome Reducer::finish(int64_t milliseconds, double* sums, int32_t count) {
  std::lock_guard<std::mutex> lock(mutex);
  at::NoGradGuard no_grad;
  if (!active) throw std::invalid_argument("the gradients' sums were asked for without a prepare before backward");
  active = false;
  auto n = static_cast<int64_t>(parameters.size());
  auto notes = at::zeros({n + count}, at::kDouble);  // who had a gradient, then the caller's own sums
  auto* note = notes.data_ptr<double>();
  for (int64_t i = 0; i < n; i++) {
    auto& p = parameters[static_cast<size_t>(i)];
    auto& view = views[static_cast<size_t>(i)];
    if (!ready[static_cast<size_t>(i)]) {
      if (p.grad().defined()) {
        view.copy_(p.grad());
        p.mutable_grad() = view;
        ready[static_cast<size_t>(i)] = 1;
      } else {
        view.zero_();
      }
    }
    note[i] = ready[static_cast<size_t>(i)];
  }
  for (int32_t i = 0; i < count; i++) note[n + i] = sums[i];
  while (next < buckets.size()) {
    launch(buckets[next++]);
  }
  auto where = parameters[0].device();
  auto sent = group->nccl ? notes.to(where) : notes;
  auto last = all_reduce(*group, sent, 0);
  for (auto& bucket : buckets) {
    auto outcome = wait(*bucket.sum, milliseconds);
    if (outcome != kDone) return outcome;
  }
  auto outcome = wait(*last, milliseconds);
  if (outcome != kDone) return outcome;
  if (group->nccl) notes = sent.cpu();
  note = notes.data_ptr<double>();
  for (int64_t i = 0; i < n; i++) {
    // What no rank used has no gradient, as it would have alone.
    if (note[i] > 0) parameters[static_cast<size_t>(i)].mutable_grad() = views[static_cast<size_t>(i)];
  }
  for (int32_t i = 0; i < count; i++) sums[i] = note[n + i];
  return kDone;
}

}  // namespace
}  // namespace recsys
#endif

using namespace recsys;

#ifndef RECSYS_C10D
#define RECSYS_WITH_C10D(...) return guarded([&] { throw std::invalid_argument("this build of the native library has no collectives"); })
#else
#define RECSYS_WITH_C10D(...) return guarded([&] __VA_ARGS__)
#endif

// The group must outlive the reducer.
RS_EXPORT int32_t rs_reducer_new(void* group, void* const* parameters, int32_t count, int64_t bucket_bytes, int32_t overlap, void** result) {
  RECSYS_WITH_C10D({
    if (group == nullptr || count <= 0 || bucket_bytes <= 0) {
      throw std::invalid_argument("a reducer needs a group, at least one parameter and buckets of at least one byte");
    }
    required(parameters, result);
    auto reducer = std::make_shared<Reducer>();
    reducer->group = static_cast<Group*>(group);
    reducer->overlap = overlap != 0;
    for (int32_t i = 0; i < count; i++) {
      auto p = share(parameters[i]);
      TORCH_CHECK(p.is_leaf() && p.requires_grad(), "a reducer takes leaves that require gradients; parameter ", i, " does not");
      reducer->parameters.push_back(std::move(p));
    }
    reducer->lay_out(bucket_bytes);
    reducer->attach();
    *result = new std::shared_ptr<Reducer>(std::move(reducer));
  });
}

// Before each backward.
RS_EXPORT int32_t rs_reducer_prepare(void* reducer) {
  RECSYS_WITH_C10D({ required(reducer); (*static_cast<std::shared_ptr<Reducer>*>(reducer))->prepare(); });
}

// After it: gradients are the ranks' sums, and so are the caller's numbers.
RS_EXPORT int32_t rs_reducer_finish(void* reducer, int64_t timeout_ms, double* sums, int32_t count, int32_t* outcome) {
  RECSYS_WITH_C10D({ required(reducer, outcome); required_list(sums, count); *outcome = (*static_cast<std::shared_ptr<Reducer>*>(reducer))->finish(timeout_ms, sums, count); });
}

RS_EXPORT int32_t rs_reducer_buckets(void* reducer, int32_t* count) {
  RECSYS_WITH_C10D({ required(reducer, count); *count = static_cast<int32_t>((*static_cast<std::shared_ptr<Reducer>*>(reducer))->buckets.size()); });
}

RS_EXPORT void rs_reducer_free(void* reducer) {
#ifdef RECSYS_C10D
  guarded([&] { delete static_cast<std::shared_ptr<Reducer>*>(reducer); });
#endif
}
