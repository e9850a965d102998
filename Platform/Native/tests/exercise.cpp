// Exercises the exports as a caller should use them and checks what comes back: native_exercise. Under AddressSanitizer and valgrind
// it shows that the library itself neither leaks nor reads what is not its own.
#include "exercise_storage.h"

namespace {

void tensors() {
  auto x = floats({1, 2, 3, 4, 5, 6}, {2, 3});
  Description d;
  int64_t sizes[4], strides[4];
  CHECK(rs_tensor_describe(x.h, &d, sizes, strides, 4) == 0 && d.dim == 2 && sizes[1] == 3 && strides[0] == 3 && d.dtype == 6);
  void* p = nullptr;
  CHECK(rs_tensor_data(x.h, &p) == 0 && static_cast<float*>(p)[5] == 6);
  Out second{};
  CHECK(rs_tensor_alias(x.h, &second) == 0);
  T alias(handle(second));
  float ones[6] = {1, 1, 1, 1, 1, 1};
  CHECK(rs_tensor_set_bytes(alias.h, ones, sizeof ones) == 0 && values(x.h) == std::vector<float>(6, 1));
  CHECK(rs_tensor_set_bytes(alias.h, ones, 4) == recsys::kArgument && rs_tensor_to_bytes(x.h, ones, 5) == recsys::kArgument);
  Out item{};
  CHECK(rs_tensor_item(x.h, &item) != 0);
  Arg at[2] = {arg(int64_t{1}), arg(int64_t{2})};
  Out element{};
  CHECK(rs_tensor_index(x.h, at, 2, &element) == 0);
  T one(handle(element));
  Arg nine = arg(int64_t{9});
  CHECK(rs_tensor_index_put(x.h, at, 2, &nine) == 0);
  CHECK(rs_tensor_item(one.h, &item) == 0 && item.kind == recsys::kDouble);
  at[0].payload = 7;
  CHECK(rs_tensor_index(x.h, at, 2, &element) == recsys::kIndex);
  int64_t huge[2] = {int64_t{1} << 40, 1 << 10};
  Out none{};
  CHECK(rs_tensor_from_bytes(nullptr, 0, huge, 2, 6, &none) != 0 && none.kind == 0);
  huge[1] = huge[0];
  CHECK(rs_tensor_from_bytes(nullptr, 0, huge, 2, 6, &none) != 0 && rs_tensor_from_bytes(nullptr, 0, huge, 1, 14, &none) == recsys::kArgument);
}

void operators() {
  auto x = floats({1, 2, 3, 4}, {2, 2});
  auto sum = call(op("aten::add", "Tensor"), {arg(x.h), arg(x.h)});
  CHECK(values(sum.h) == (std::vector<float>{2, 4, 6, 8}));
  void* missing = nullptr;
  CHECK(rs_op_find("aten::nothing", "", &missing) == recsys::kUnsupported && missing == nullptr);
  char schema[128];
  int64_t length = 0;
  CHECK(rs_op_schema(op("aten::exp"), schema, 128, &length) == 0 && length > 10 && std::string(schema, 9) == "aten::exp");
  Arg a[2] = {arg(x.h), arg(int64_t{0})};
  Out out[1]{};
  int32_t n = 0;
  CHECK(rs_op_call(op("aten::unbind", "int"), a, 2, out, 1, &n) == 0 && out[0].kind == recsys::kTensorList && out[0].count == 2);
  auto* list = reinterpret_cast<Out*>(out[0].payload);
  for (int i = 0; i < 2; i++) rs_tensor_free(handle(list[i]));
  rs_free(list);
  std::vector<int64_t> wrong{3, 3};
  Arg b[2] = {arg(x.h), arg(wrong)};
  CHECK(rs_op_call(op("aten::view"), b, 2, out, 1, &n) != 0 && rs_last_error(nullptr, 0) > 0);
  Arg c[2] = {arg(x.h), arg(x.h)};
  CHECK(rs_op_call(op("aten::exp"), c, 2, out, 1, &n) == recsys::kArgument);
}

int32_t half_gradient(void*, void** inputs, int32_t, void** gradients, int32_t, void** results, char*, int32_t) {
  rs_tensor_free(inputs[0]);
  results[0] = gradients[0];  // the gradient itself, as if the function were the identity
  return 0;
}
int released = 0;

void gradients() {
  auto x = floats({1, 2, 3, 4}, {2, 2}, true);
  auto y = call(op("aten::mul", "Tensor"), {arg(x.h), arg(x.h)});
  CHECK(rs_tensor_retain_grad(y.h) == 0 && rs_tensor_set_requires_grad(y.h, 0) == recsys::kArgument);
  auto loss = call(op("aten::sum"), {arg(y.h)});
  void* outputs[1] = {loss.h};
  void* inputs[1] = {x.h};
  Out g{};
  CHECK(rs_grad(outputs, 1, inputs, 1, nullptr, 0, 1, 0, 0, &g) == 0);
  CHECK(values(T(handle(g)).h) == (std::vector<float>{2, 4, 6, 8}));
  CHECK(rs_backward(outputs, 1, nullptr, 0, nullptr, 0, 0, 0) == 0 && rs_backward(outputs, 1, nullptr, 0, nullptr, 0, 0, 0) != 0);
  CHECK(rs_tensor_grad(x.h, &g) == 0);
  T kept(handle(g));
  auto wrong = floats({1}, {1});
  CHECK(rs_tensor_set_grad(x.h, wrong.h) == recsys::kArgument && rs_tensor_set_grad(x.h, kept.h) == 0 && rs_tensor_set_grad(x.h, nullptr) == 0);
  rs_set_grad_enabled(0);
  CHECK(rs_grad_enabled() == 0);
  rs_set_grad_enabled(1);
  void* guard = nullptr;
  CHECK(rs_inference_enter(1, &guard) == 0 && rs_inference_enabled() == 1);
  rs_inference_leave(guard);
  auto plain = floats({5, 6}, {2});
  auto leaf = floats({5, 6}, {2}, true);
  void *from[1] = {leaf.h}, *to[1] = {plain.h};
  Out out{};
  CHECK(rs_recompute_attach(nullptr, half_gradient, [](void*) { released++; }, from, 1, to, 1, &out) == 0);
  {
    T recomputed(handle(out));
    auto total = call(op("aten::sum"), {arg(recomputed.h)});
    outputs[0] = total.h;
    CHECK(rs_backward(outputs, 1, nullptr, 0, nullptr, 0, 0, 0) == 0);
    CHECK(rs_tensor_grad(leaf.h, &g) == 0 && values(T(handle(g)).h) == (std::vector<float>{1, 1}));
  }
  CHECK(released == 1);
}

void modes() {
  int32_t on, type, threads, bits;
  CHECK(rs_autocast_get(0, &on, &type) == 0 && on == 0);
  CHECK(rs_autocast_set(0, 1, 15) == 0 && rs_autocast_nest(1) == 0);
  {
    auto a = floats(std::vector<float>(16, 1), {4, 4});
    auto b = call(op("aten::mm"), {arg(a.h), arg(a.h)});
    Description d;
    CHECK(rs_tensor_describe(b.h, &d, nullptr, nullptr, 0) == 0 && d.dtype == 15);
  }
  CHECK(rs_autocast_nest(-1) == 0 && rs_autocast_nest(-1) == recsys::kArgument && rs_autocast_set(0, 0, 15) == 0 && rs_autocast_set(0, 1, 3) == recsys::kArgument);
  CHECK(rs_get_num_threads(&threads) == 0 && rs_set_num_threads(threads) == 0 && rs_set_num_threads(0) == recsys::kArgument && rs_set_num_threads(1 << 30) == recsys::kArgument);
  CHECK(rs_features(&bits) == 0 && rs_cuda_device_count(&threads) == 0 && rs_abi_version() == 1);
  char text[64];
  int64_t length;
  CHECK(rs_info(0, text, 64, &length) == 0 && length > 2 && rs_info(9, text, 64, &length) == recsys::kArgument);
}

void randomness() {
  void *g = nullptr, *standard = nullptr;
  CHECK(rs_generator_new(7, 0xFFFFFFFF, &g) == 0 && rs_generator_default(0xFFFFFFFF, &standard) == 0 && rs_manual_seed(1) == 0);
  uint64_t seed = 0;
  CHECK(rs_generator_initial_seed(g, &seed) == 0 && seed == 7 && rs_generator_seed(g, 8) == 0);
  Out state{}, first{}, again{};
  CHECK(rs_generator_get_state(g, &state) == 0);
  T kept(handle(state)), x(floats(std::vector<float>(10000, 1), {10000}));
  CHECK(rs_fast_dropout(x.h, 0.5, g, &first) == 0 && rs_generator_set_state(g, kept.h) == 0 && rs_fast_dropout(x.h, 0.5, g, &again) == 0);
  T a(handle(first)), b(handle(again));
  CHECK(values(a.h) == values(b.h) && rs_fast_dropout(x.h, NAN, g, &again) == recsys::kArgument && rs_generator_set_state(g, x.h) != 0);
  rs_generator_free(g);
  rs_generator_free(standard);
}

void optimisers() {
  auto p = floats(std::vector<float>(40000, 1), {200, 200}, true);
  std::vector<T> s;
  for (int i = 0; i < 2; i++) s.push_back(floats(std::vector<float>(40000, 0), {200, 200}));
  auto rows = floats(std::vector<float>(200, 0), {200}), columns = floats(std::vector<float>(200, 0), {200}), none = floats({}, {0});
  void *params[1] = {p.h}, *one[1] = {s[0].h}, *two[1] = {s[1].h}, *r[1] = {rows.h}, *c[1] = {columns.h}, *n[1] = {none.h};
  int64_t steps[1] = {0};
  auto g = floats(std::vector<float>(40000, 0.5f), {200, 200});
  CHECK(rs_tensor_set_grad(p.h, g.h) == 0);
  SgdOptions sgd{0.1, 0.9, 0, 0.01, 1, 0};
  AdamOptions adam{0.1, 0.9, 0.99, 1e-8, 0.01, 0, 0, 1};
  AdagradOptions adagrad{0.1, 0, 0, 1e-8};
  LionOptions lion{0.1, 0.9, 0.99, 0.01};
  AdafactorOptions adafactor{0.1, -0.8, 1e-30, 1e-3, 1, 0};
  CHECK(rs_optim_sgd(params, one, steps, 1, &sgd) == 0 && rs_optim_adam(params, one, two, nullptr, steps, 1, &adam) == 0);
  CHECK(rs_optim_adagrad(params, one, steps, 1, &adagrad) == 0 && rs_optim_lion(params, one, steps, 1, &lion) == 0);
  CHECK(rs_optim_adafactor(params, r, c, n, steps, 1, &adafactor) == 0 && steps[0] == 5);
  double norm = 0;
  CHECK(rs_optim_clip_grad_norm(params, 1, 1, 2, &norm) == 0 && std::abs(norm - 100) < 1e-3);
  CHECK(rs_optim_lerp(one, two, 1, 0.5) == 0 && rs_optim_lerp(one, r, 1, 0.5) == recsys::kArgument);
  CHECK(rs_optim_adam(params, r, two, nullptr, steps, 1, &adam) == recsys::kArgument && rs_optim_zero_grad(params, 1, 1) == 0);
  for (float v : values(p.h)) CHECK(std::isfinite(v));
}

void collectives() {
  if ((rs_dist_backends() & 1) == 0) return;
  void *store = nullptr, *below = nullptr, *group = nullptr, *work = nullptr;
  int32_t port = 0, outcome = -1;
  CHECK(rs_store_new("127.0.0.1", 0, 1, 2000, &port, &store) == 0 && port > 0 && rs_store_prefix(store, "p", &below) == 0);
  uint8_t bytes[3] = {1, 2, 3}, back[3];
  int64_t length = 0, sum = 0;
  CHECK(rs_store_set(below, "k", bytes, 3) == 0 && rs_store_get(below, "k", back, 3, &length) == 0 && length == 3 && back[2] == 3);
  CHECK(rs_store_add(store, "n", 2, &sum) == 0 && rs_store_add(store, "n", 3, &sum) == 0 && sum == 5);
  CHECK(rs_group_new(below, "gloo", 0, 1, 5000, "127.0.0.1", 0, &group) == 0 && rs_group_new(below, "gloo", 1, 1, 5, "127.0.0.1", 0, &work) == recsys::kArgument);
  auto x = floats({1, 2}, {2}), y = floats({0, 0}, {2});
  void *xs[1] = {x.h}, *ys[1] = {y.h};
  auto finish = [&] { CHECK(rs_work_wait(work, 5000, &outcome) == 0 && outcome == 0 && rs_work_done(work, &outcome) == 0 && outcome == 1); rs_work_free(work); };
  CHECK(rs_group_all_reduce(group, x.h, 0, &work) == 0); finish();
  CHECK(rs_group_broadcast(group, x.h, 0, &work) == 0); finish();
  CHECK(rs_group_all_gather(group, ys, 1, x.h, &work) == 0); finish();
  CHECK(values(y.h) == values(x.h));
  CHECK(rs_group_reduce_scatter(group, y.h, xs, 1, 1, &work) == 0); finish();
  CHECK(rs_group_barrier(group, &work) == 0); finish();
  auto p = floats({1, 2}, {2}, true);
  void *params[1] = {p.h}, *reducer = nullptr;
  int32_t buckets = 0;
  CHECK(rs_reducer_new(group, params, 1, 1 << 20, 1, &reducer) == 0 && rs_reducer_buckets(reducer, &buckets) == 0 && buckets == 1 && rs_reducer_prepare(reducer) == 0);
  auto loss = call(op("aten::sum"), {arg(p.h)});
  void* outputs[1] = {loss.h};
  double sums[1] = {4};
  CHECK(rs_backward(outputs, 1, nullptr, 0, nullptr, 0, 0, 0) == 0 && rs_reducer_finish(reducer, 5000, sums, 1, &outcome) == 0 && outcome == 0 && sums[0] == 4);
  rs_reducer_free(reducer);
  rs_set_grad_enabled(0);
  std::vector<int64_t> two = {2};
  auto view = call(op("aten::view"), {arg(p.h), arg(two)});
  rs_set_grad_enabled(1);
  params[0] = view.h;
  CHECK(rs_reducer_new(group, params, 1, 1 << 20, 1, &reducer) != 0);  // it calls itself a leaf that requires gradients
  rs_group_free(group);
  rs_store_free(below);
  rs_store_free(store);
}

}  // namespace

int main() {
  rs_set_num_threads(2);
  for (int round = 0; round < 3; round++) {
    tensors();
    operators();
    released = 0;
    gradients();
    modes();
    randomness();
    optimisers();
    mappings();
    std::thread([] { tensors(); operators(); }).join();
  }
  collectives();
  CHECK(rs_tensor_live() == 0);
  std::printf("%d checks hold\n", checks);
}
