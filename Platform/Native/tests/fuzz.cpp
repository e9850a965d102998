// Throws random arguments at every export: native_fuzz SEED CALLS. Whatever comes in, a call comes back with a known status and,
// where it failed, with a message. `native_fuzz --list` prints the exports it knows. The last call before a crash is in the file that
// RECSYS_FUZZ_TRACE names.
#include "fuzz_exports.h"

#include <cstdio>
#include <cstdlib>

namespace {

const char* const kOperators[][2] = {
    {"add", "Tensor"}, {"add_", "Tensor"}, {"sub", "Scalar"}, {"mul", "Tensor"}, {"div", "Tensor_mode"}, {"exp", ""}, {"neg", ""}, {"clamp", ""}, {"where", "self"}, {"pow", "Tensor_Scalar"},
    {"sum", "dim_IntList"}, {"mean", "dim"}, {"var", "dim"}, {"max", "dim"}, {"argmax", ""}, {"cumsum", ""}, {"softmax", "int"}, {"log_softmax", "int"}, {"view", ""}, {"reshape", ""}, {"permute", ""},
    {"transpose", "int"}, {"expand", ""}, {"narrow", ""}, {"select", "int"}, {"slice", "Tensor"}, {"flip", ""}, {"roll", ""}, {"chunk", ""}, {"split", "Tensor"}, {"unbind", "int"}, {"cat", ""}, {"stack", ""},
    {"gather", ""}, {"scatter", "src"}, {"scatter_add", ""}, {"index_select", ""}, {"index_add", ""}, {"masked_fill", "Scalar"}, {"masked_select", ""}, {"take", ""}, {"index", "Tensor"}, {"sort", "stable"}, {"topk", ""},
    {"bincount", ""}, {"searchsorted", "Tensor"}, {"matmul", ""}, {"mm", ""}, {"bmm", ""}, {"addmm", ""}, {"einsum", ""}, {"linalg_svd", ""}, {"linalg_qr", ""}, {"linalg_solve", ""}, {"linear", ""}, {"embedding", ""},
    {"layer_norm", ""}, {"group_norm", ""}, {"conv1d", ""}, {"conv2d", ""}, {"avg_pool2d", ""}, {"max_pool2d", ""}, {"pad", ""}, {"one_hot", ""}, {"gelu", ""}, {"cross_entropy_loss", ""}, {"nll_loss_nd", ""},
    {"mse_loss", ""}, {"dropout", ""}, {"to", "dtype"}, {"to", "device"}, {"arange", "start_step"}, {"multinomial", ""}, {"fill_", "Scalar"}, {"copy_", ""}, {"zeros", ""}, {"full", ""}, {"eye", "m"}, {"linspace", ""},
    {"_foreach_add_", "List"}, {"empty", "memory_format"}, {"repeat", ""}, {"contiguous", ""}, {"detach", ""}, {"is_nonzero", ""}, {"equal", ""}};

}  // namespace

int main(int count, char** arguments) {
  auto table = exports();
  if (count == 2 && std::string(arguments[1]) == "--list") {
    for (auto& [name, e] : table) std::puts(name.c_str());
    return 0;
  }
  if (count < 3) {
    std::fputs("native_fuzz SEED CALLS | --list\n", stderr);
    return 2;
  }
  auto seed = std::strtoull(arguments[1], nullptr, 10);
  auto calls = std::strtoll(arguments[2], nullptr, 10);
  auto* trace_name = std::getenv("RECSYS_FUZZ_TRACE");
  auto* trace = trace_name ? std::fopen(trace_name, "w") : nullptr;
  rs_set_num_threads(1);
  int64_t failures = 0;
  std::vector<int64_t> counts(table.size());
  {
    World w(seed);
    for (auto& [name, overload] : kOperators) {
      void* op = nullptr;
      if (rs_op_find((std::string("aten::") + name).c_str(), overload, &op) == 0) w.operators.emplace_back(op, name);
    }
    for (auto* own : {"linear", "dropout"}) {
      void* op = nullptr;
      if (rs_op_find((std::string("recsys::") + own).c_str(), "", &op) == 0) w.operators.emplace_back(op, own);
    }
    void *store = nullptr, *group = nullptr;
    int32_t port;
    if (rs_store_new("127.0.0.1", 0, 1, 5, &port, &store) == 0) w.stores.push_back(store);
    if (store && rs_group_new(store, "gloo", 0, 1, 2000, "127.0.0.1", 0, &group) == 0) w.groups.push_back(group);
    std::vector<std::pair<size_t, const std::pair<const std::string, Export>*>> drawn;
    size_t index = 0;
    for (auto& entry : table) {
      for (int i = 0; i < entry.second.weight; i++) drawn.emplace_back(index, &entry);
      index++;
    }
    for (int64_t i = 0; i < calls; i++) {
      if (w.random.one_in(6)) w.pool.renew();
      auto [at, entry] = drawn[static_cast<size_t>(w.random.below(static_cast<int64_t>(drawn.size())))];
      if (i % 5000 == 7) {  // those that cost milliseconds
        for (auto* name : {"rs_store_new", "rs_store_get", "rs_group_new", "rs_set_num_threads"}) {
          table[name].call(w);
          counts[static_cast<size_t>(std::distance(table.begin(), table.find(name)))]++;
        }
      }
      if (trace != nullptr) {
        std::rewind(trace);
        std::fprintf(trace, "seed %llu, call %lld: %-40s\n", static_cast<unsigned long long>(seed), static_cast<long long>(i), entry->first.c_str());
        std::fflush(trace);
      }
      auto status = entry->second.call(w);
      counts[at]++;
      if (status < 0 || status > 8 || (status != 0 && rs_last_error(nullptr, 0) <= 0)) {
        std::printf("seed %llu, call %lld: %s came back with %d\n", static_cast<unsigned long long>(seed), static_cast<long long>(i), entry->first.c_str(), status);
        return 1;
      }
      failures += status != 0;
    }
    for (auto* x : w.works) rs_work_free(x);
    for (auto* x : w.reducers) rs_reducer_free(x);
    for (auto* x : w.groups) rs_group_free(x);
    while (!w.stores.empty()) { rs_store_free(w.stores.back()); w.stores.pop_back(); }
    for (auto* x : w.generators) rs_generator_free(x);
  }
  size_t index = 0;
  for (auto& [name, e] : table) {
    if (counts[index++] == 0 && calls >= 100000) {
      std::printf("%s was never called\n", name.c_str());
      return 1;
    }
  }
  std::printf("%lld calls, %lld refused, %lld tensors left\n", static_cast<long long>(calls), static_cast<long long>(failures), static_cast<long long>(rs_tensor_live()));
  return rs_tensor_live() == 0 ? 0 : 1;
}
