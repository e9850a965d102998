// A node of the graph whose gradients come from computing its function once more: activation checkpointing (Chen et al. 2016). What it
// keeps is the function's inputs; the function itself lives in managed code and is called back.
#include "torch_versions.h"

#include <torch/csrc/autograd/engine.h>
#include <torch/csrc/autograd/saved_variable.h>
#include <torch/csrc/autograd/variable.h>

#include <memory>
#include <stdexcept>
#include <vector>

using namespace recsys;

extern "C" void rs_tensor_free(void* handle);

// Both give up handles: the callee owns inputs and gradients (a null gradient is an absent one), and gives back one handle or null an
// input. A message of at most `capacity` bytes, zero at its end, says why it failed.
typedef int32_t (*Recompute)(void* context, void** inputs, int32_t input_count, void** gradients, int32_t gradient_count, void** results,
                             char* message, int32_t capacity);
typedef void (*Release)(void* context);

namespace {

void* handle_of(at::Tensor tensor) { return tensor.defined() ? release(std::move(tensor)) : nullptr; }

struct RecomputeNode : public torch::autograd::Node {
  RecomputeNode(void* context, Recompute recompute, Release release_context) : context(context), recompute(recompute), release_context(release_context) {}

  ~RecomputeNode() override { release_context(context); }

  std::string name() const override { return "RecomputeBackward"; }

  void release_variables() override {
    std::lock_guard<std::mutex> lock(mutex_);
    saved.clear();
    released = true;
  }

  torch::autograd::variable_list apply(torch::autograd::variable_list&& gradients) override {
    if (!torch::autograd::Engine::get_default_engine().is_checkpoint_valid()) {
      throw std::invalid_argument("a checkpointed function takes part in backward() without inputs only: grad() and backward(inputs) stop before its parameters");
    }
    std::vector<void*> inputs, grads;
    {
      std::lock_guard<std::mutex> lock(mutex_);
      if (released) throw std::invalid_argument("a second backward through a checkpointed function; the first one needs retain_graph");
      for (auto& s : saved) inputs.push_back(handle_of(s.unpack()));
    }
    for (auto& g : gradients) grads.push_back(handle_of(std::move(g)));
    std::vector<void*> results(inputs.size(), nullptr);
    char message[2048] = "";
    auto status = recompute(context, inputs.data(), static_cast<int32_t>(inputs.size()), grads.data(), static_cast<int32_t>(grads.size()),
                            results.data(), message, sizeof message);
    torch::autograd::variable_list list;
    for (size_t i = 0; i < results.size(); i++) {
      list.push_back(results[i] != nullptr && task_should_compute_output(i) ? share(results[i]) : at::Tensor());
      rs_tensor_free(results[i]);
    }
    if (status != 0) throw std::runtime_error(message);
    list.resize(num_outputs());  // the anchor has no gradient
    return list;
  }

  void* context;
  Recompute recompute;
  Release release_context;
  std::vector<torch::autograd::SavedVariable> saved;
  bool released = false;
};

}  // namespace

// Puts outputs that were computed without a graph into one: results[i] is outputs[i] with a node that recomputes behind it. The
// context is released with the node, whether this succeeds or fails.
RS_EXPORT int32_t rs_recompute_attach(void* context, Recompute recompute, Release release_context, void* const* inputs, int32_t input_count,
                                      void* const* outputs, int32_t output_count, Out* results) {
  return guarded([&] {
    if (recompute == nullptr || release_context == nullptr) {
      throw std::invalid_argument("a recomputation without its two functions");
    }
    auto node = make_node<RecomputeNode>(context, recompute, release_context);
    required_list(inputs, input_count);
    required_list(outputs, output_count);
    required_list(results, output_count);
    torch::autograd::edge_list edges;
    for (int32_t i = 0; i < input_count; i++) {
      auto input = share(inputs[i]);
      edges.push_back(torch::autograd::impl::gradient_edge(input));
      node->saved.emplace_back(input, false);
    }
    // Parameters alone may want gradients: an input that nobody sees keeps the node in the graph.
    edges.push_back(torch::autograd::impl::gradient_edge(at::zeros({}).set_requires_grad(true)));
    node->set_next_edges(std::move(edges));
    std::vector<at::Tensor> made;
    for (int32_t i = 0; i < output_count; i++) {
      auto output = share(outputs[i]).detach();
      if (at::isFloatingType(output.scalar_type())) torch::autograd::create_gradient_edge(output, node);
      else node->add_input_metadata(output);
      made.push_back(std::move(output));
    }
    for (int32_t i = 0; i < output_count; i++) give(std::move(made[static_cast<size_t>(i)]), results + i);
  });
}
