// How each export is called with random arguments, and how often in proportion.
#pragma once

#include "fuzz_world.h"

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <map>

struct Export {
  int weight;
  std::function<int32_t(World&)> call;
};

inline int32_t refuse(void*, void** inputs, int32_t n, void** gradients, int32_t m, void**, char* message, int32_t capacity) {
  for (int32_t i = 0; i < n; i++) rs_tensor_free(inputs[i]);
  for (int32_t i = 0; i < m; i++) rs_tensor_free(gradients[i]);
  std::snprintf(message, static_cast<size_t>(capacity), "not today");
  return 1;
}

inline void forget(void*) {}

#define LIST(name) HandleList name(w.random, w.pool)
#define OPTIONS(type) type o{}; static_assert(sizeof o % 8 == 0); for (size_t i = 0; i + 8 <= sizeof o; i += 8) { double d = w.random.real(); std::memcpy(reinterpret_cast<char*>(&o) + i, &d, 8); }

inline std::map<std::string, Export> exports() {
  std::map<std::string, Export> r;
  auto add = [&](const char* name, int weight, std::function<int32_t(World&)> call) { r[name] = {weight, std::move(call)}; };
  add("rs_abi_version", 1, [](World&) { return rs_abi_version() > 0 ? 0 : -1; });
  add("rs_last_error", 10, [](World& w) { return rs_last_error(w.random.or_null(w.bytes.data()), std::min<int64_t>(w.random.integer(), 4096)) >= 0 ? 0 : -1; });
  add("rs_free", 1, [](World& w) { rs_free(w.random.one_in(24) ? nullptr : std::malloc(8)); return 0; });
  add("rs_op_find", 10, [](World& w) {
    void* op = nullptr;  // lives as long as the process: found ones only now and then
    return rs_op_find(w.random.one_in(200) ? "aten::add" : w.random.one_in(2) ? "aten::nothing" : w.random.text(), w.random.text(), w.random.or_null(&op));
  });
  add("rs_op_schema", 10, [](World& w) {
    return rs_op_schema(w.operators.empty() || w.random.one_in(12) ? nullptr : w.operators[static_cast<size_t>(w.random.below(static_cast<int64_t>(w.operators.size())))].first,
                        w.random.or_null(w.bytes.data()), std::min<int64_t>(w.random.integer(), 4096), w.random.or_null(&w.numbers[0]));
  });
  add("rs_op_call", 500, [](World& w) { return w.call_operator(); });
  add("rs_tensor_free", 1, [](World&) { rs_tensor_free(nullptr); return 0; });  // and what the pool gives back
  add("rs_tensor_live", 1, [](World&) { return rs_tensor_live() > 0 ? 0 : -1; });
  add("rs_tensor_describe", 20, [](World& w) {
    Description d;
    return rs_tensor_describe(w.pool.any(), w.random.or_null(&d), w.random.or_null(&w.numbers[0]), w.random.or_null(&w.numbers[8]), std::min(w.random.small(), 8));
  });
  add("rs_tensor_data", 20, [](World& w) { void* p; return rs_tensor_data(w.pool.any(), w.random.or_null(&p)); });
  add("rs_tensor_from_bytes", 40, [](World& w) {
    for (auto& n : w.numbers) n = w.random.integer();
    bool whole = w.random.one_in(2);
    return w.give([&](Out* out) {
      return rs_tensor_from_bytes(whole ? w.bytes.data() : nullptr, w.random.one_in(8) ? -1 : w.random.below(4096), w.random.or_null(w.numbers.data()), std::min(w.random.small(), 16), w.random.small(), out);
    });
  });
  add("rs_tensor_to_bytes", 20, [](World& w) { return rs_tensor_to_bytes(w.pool.any(), w.random.or_null(w.bytes.data()), w.random.one_in(8) ? -1 : w.random.below(64) * 4); });
  add("rs_tensor_set_bytes", 20, [](World& w) { return rs_tensor_set_bytes(w.pool.any(), w.random.or_null(w.bytes.data()), w.random.one_in(8) ? -1 : w.random.below(64) * 4); });
  add("rs_tensor_item", 20, [](World& w) { Out out{}; return rs_tensor_item(w.pool.any(), w.random.or_null(&out)); });
  add("rs_tensor_alias", 10, [](World& w) { auto* t = w.pool.any(); return w.give([&](Out* out) { return rs_tensor_alias(t, out); }); });
  add("rs_tensor_index", 60, [](World& w) {
    std::vector<std::vector<int64_t>> memory;
    Arg a[8];
    for (auto& x : a) x = w.argument(memory);
    auto* t = w.pool.any();
    auto n = w.random.one_in(24) ? -1 : static_cast<int32_t>(w.random.below(8));
    return w.give([&](Out* out) { return rs_tensor_index(t, w.random.or_null(a), n, out); });
  });
  add("rs_tensor_index_put", 60, [](World& w) {
    std::vector<std::vector<int64_t>> memory;
    Arg a[8], value = w.argument(memory);
    for (auto& x : a) x = w.argument(memory);
    return rs_tensor_index_put(w.pool.any(), w.random.or_null(a), w.random.one_in(24) ? -1 : static_cast<int32_t>(w.random.below(8)), w.random.or_null(&value));
  });
  add("rs_mapping_new", 5, [](World& w) {
    auto length = w.random.one_in(2) ? 4096 : w.random.one_in(4) ? w.random.integer() : 1 + w.random.below(5000);
    return w.make(w.mappings, 3, [&](void** m) { return rs_mapping_new(w.random.one_in(8) ? w.random.small() : w.mapped_file, length, m); }, rs_mapping_free);
  });
  add("rs_mapping_free", 2, [](World& w) { rs_mapping_free(w.take_from(w.mappings)); return 0; });
  add("rs_mapping_tensor", 20, [](World& w) {
    for (auto& n : w.numbers) n = w.random.integer();
    auto offset = w.random.one_in(4) ? w.random.integer() : w.random.below(600) * 8;
    return w.give([&](Out* out) {
      return rs_mapping_tensor(w.any_of(w.mappings), offset, w.random.or_null(w.numbers.data()), std::min(w.random.small(), 5), w.random.one_in(2) ? 6 : w.random.small(), out);
    });
  });
  add("rs_backward", 20, [](World& w) { LIST(o); LIST(g); LIST(i); return rs_backward(o.list, o.count, g.list, g.count, i.list, i.count, w.random.small() % 3 - 1, w.random.one_in(3)); });
  add("rs_grad", 20, [](World& w) {
    LIST(o); LIST(g); LIST(i);
    Out results[8]{};
    auto status = rs_grad(o.list, o.count, i.list, i.count, g.list, g.count, w.random.small() % 3 - 1, w.random.one_in(3), w.random.one_in(2), w.random.or_null(results));
    for (auto& out : results) w.pool.take(out);
    return status;
  });
  add("rs_tensor_grad", 20, [](World& w) { auto* t = w.pool.any(); return w.give([&](Out* out) { return rs_tensor_grad(t, out); }); });
  add("rs_tensor_set_grad", 20, [](World& w) { return rs_tensor_set_grad(w.pool.any(), w.pool.any()); });
  add("rs_tensor_set_requires_grad", 20, [](World& w) { return rs_tensor_set_requires_grad(w.pool.any(), w.random.small()); });
  add("rs_tensor_retain_grad", 5, [](World& w) { return rs_tensor_retain_grad(w.pool.any()); });
  add("rs_grad_enabled", 1, [](World&) { return rs_grad_enabled() & ~1; });
  add("rs_set_grad_enabled", 5, [](World& w) { rs_set_grad_enabled(w.random.one_in(4) ? 0 : w.random.small()); return 0; });
  add("rs_inference_enabled", 1, [](World&) { return rs_inference_enabled() & ~1; });
  add("rs_inference_enter", 2, [](World& w) {  // left in the order of a stack, within one call: what a scope does
    void* guard = nullptr;
    auto status = rs_inference_enter(w.random.small(), w.random.or_null(&guard));
    for (int i = 0; i < 4; i++) w.call_operator();
    rs_inference_leave(guard);
    return status;
  });
  add("rs_inference_leave", 1, [](World&) { rs_inference_leave(nullptr); return 0; });
  add("rs_recompute_attach", 10, [](World& w) {
    LIST(i); LIST(o);
    Out results[8]{};
    auto status = rs_recompute_attach(nullptr, w.random.one_in(12) ? nullptr : refuse, w.random.one_in(12) ? nullptr : forget, i.list, i.count, o.list, o.count, w.random.or_null(results));
    for (auto& out : results) w.pool.take(out);
    return status;
  });
  add("rs_autocast_get", 5, [](World& w) { int32_t on, type; return rs_autocast_get(w.random.small(), w.random.or_null(&on), w.random.or_null(&type)); });
  add("rs_autocast_set", 5, [](World& w) { return rs_autocast_set(w.random.small(), w.random.one_in(4), w.random.one_in(2) ? 15 : w.random.small()); });
  add("rs_autocast_nest", 5, [](World& w) { return rs_autocast_nest(w.random.one_in(2) ? 1 : -1); });
  add("rs_manual_seed", 2, [](World& w) { return rs_manual_seed(w.random.next()); });
  add("rs_generator_new", 3, [](World& w) { return w.make(w.generators, 4, [&](void** g) { return rs_generator_new(w.random.next(), w.random.one_in(2) ? 0 : w.random.integer(), g); }, rs_generator_free); });
  add("rs_generator_default", 3, [](World& w) { return w.make(w.generators, 4, [&](void** g) { return rs_generator_default(w.random.one_in(2) ? 0 : w.random.integer(), g); }, rs_generator_free); });
  add("rs_generator_free", 1, [](World& w) { rs_generator_free(w.take_from(w.generators)); return 0; });
  add("rs_generator_seed", 3, [](World& w) { return rs_generator_seed(w.any_of(w.generators), w.random.next()); });
  add("rs_generator_initial_seed", 3, [](World& w) { uint64_t s; return rs_generator_initial_seed(w.any_of(w.generators), w.random.or_null(&s)); });
  add("rs_generator_get_state", 3, [](World& w) { return w.give([&](Out* out) { return rs_generator_get_state(w.any_of(w.generators), out); }); });
  add("rs_generator_set_state", 5, [](World& w) { return rs_generator_set_state(w.any_of(w.generators), w.pool.any()); });
  add("rs_fast_dropout", 20, [](World& w) { auto* t = w.pool.any(); return w.give([&](Out* out) { return rs_fast_dropout(t, w.random.real(), w.random.one_in(2) ? nullptr : w.any_of(w.generators), out); }); });
  add("rs_info", 1, [](World& w) { return rs_info(w.random.small(), w.random.or_null(w.bytes.data()), std::min<int64_t>(w.random.integer(), 4096), w.random.or_null(&w.numbers[0])); });
  add("rs_features", 1, [](World& w) { int32_t x; return rs_features(w.random.or_null(&x)); });
  add("rs_cuda_device_count", 1, [](World& w) { int32_t x; return rs_cuda_device_count(w.random.or_null(&x)); });
  add("rs_memory_kept", 5, [](World& w) { return rs_memory_kept(w.random.or_null(&w.numbers[0])); });
  add("rs_memory_release", 1, [](World&) { return rs_memory_release(); });
  add("rs_get_num_threads", 1, [](World& w) { int32_t x; return rs_get_num_threads(w.random.or_null(&x)); });
  add("rs_set_num_threads", 0, [](World& w) {
    auto status = rs_set_num_threads(w.random.small());
    rs_set_num_threads(1);  // what comes after would wait for threads most of the time
    return status;
  });
  add("rs_optim_sgd", 10, [](World& w) { LIST(p); LIST(b); OPTIONS(SgdOptions); return rs_optim_sgd(p.list, w.random.one_in(2) ? nullptr : b.memory.data(), w.random.or_null(w.numbers.data()), p.count, w.random.or_null(&o)); });
  add("rs_optim_adam", 10, [](World& w) { LIST(p); LIST(a); LIST(s); LIST(m); struct { AdamOptions a; int32_t end; } x{}; auto& o = x.a; o = {w.random.real(), w.random.real(), w.random.real(), w.random.real(), w.random.real(), w.random.small() & 1, w.random.small() & 1, w.random.small() & 1};
    return rs_optim_adam(p.list, w.random.or_null(a.memory.data()), w.random.or_null(s.memory.data()), w.random.or_null(m.memory.data()), w.random.or_null(w.numbers.data()), p.count, w.random.or_null(&o)); });
  add("rs_optim_adagrad", 10, [](World& w) { LIST(p); LIST(s); OPTIONS(AdagradOptions); return rs_optim_adagrad(p.list, w.random.or_null(s.memory.data()), w.random.or_null(w.numbers.data()), p.count, w.random.or_null(&o)); });
  add("rs_optim_lion", 10, [](World& w) { LIST(p); LIST(m); OPTIONS(LionOptions); return rs_optim_lion(p.list, w.random.or_null(m.memory.data()), w.random.or_null(w.numbers.data()), p.count, w.random.or_null(&o)); });
  add("rs_optim_adafactor", 10, [](World& w) { LIST(p); LIST(a); LIST(b); LIST(c); OPTIONS(AdafactorOptions);
    return rs_optim_adafactor(p.list, w.random.or_null(a.memory.data()), w.random.or_null(b.memory.data()), w.random.or_null(c.memory.data()), w.random.or_null(w.numbers.data()), p.count, w.random.or_null(&o)); });
  add("rs_optim_zero_grad", 5, [](World& w) { LIST(p); return rs_optim_zero_grad(p.list, p.count, w.random.small()); });
  add("rs_optim_clip_grad_norm", 10, [](World& w) { LIST(p); double total; return rs_optim_clip_grad_norm(p.list, p.count, w.random.real(), w.random.real(), w.random.or_null(&total)); });
  add("rs_optim_lerp", 10, [](World& w) { LIST(a); LIST(b); return rs_optim_lerp(a.list, b.list, a.count, w.random.real()); });
  add("rs_dist_backends", 1, [](World&) { return rs_dist_backends() & ~3; });
  add("rs_store_new", 0, [](World& w) { int32_t port; return w.make(w.stores, 1, [&](void** s) { return rs_store_new(w.random.one_in(2) ? "127.0.0.1" : nullptr, w.random.one_in(2) ? 0 : -1, w.stores.empty(), 5, w.random.or_null(&port), s); }, rs_store_free); });
  add("rs_store_prefix", 1, [](World& w) { return w.make(w.stores, 4, [&](void** s) { return rs_store_prefix(w.any_of(w.stores), w.random.text(), s); }, rs_store_free); });
  add("rs_store_free", 1, [](World& w) { rs_store_free(w.stores.size() < 3 ? nullptr : w.stores.back()); if (w.stores.size() >= 3) w.stores.pop_back(); return 0; });
  add("rs_store_set", 2, [](World& w) { return rs_store_set(w.any_of(w.stores), w.random.text(), w.random.or_null(reinterpret_cast<uint8_t*>(w.bytes.data())), w.random.one_in(8) ? -1 : w.random.below(64)); });
  add("rs_store_get", 0, [](World& w) { return rs_store_get(w.any_of(w.stores), w.random.text(), w.random.or_null(reinterpret_cast<uint8_t*>(w.bytes.data())), w.random.one_in(8) ? -1 : w.random.below(64), w.random.or_null(&w.numbers[0])); });
  add("rs_store_add", 1, [](World& w) { return rs_store_add(w.any_of(w.stores), "sum", w.random.integer(), w.random.or_null(&w.numbers[0])); });
  add("rs_group_new", 0, [](World& w) { return w.make(w.groups, 1, [&](void** g) { return rs_group_new(w.any_of(w.stores), w.random.text(), w.random.small(), w.random.small(), 5, "127.0.0.1", w.random.one_in(4), g); }, rs_group_free); });
  add("rs_group_abort", 1, [](World& w) { return rs_group_abort(nullptr, w.random.text()); });
  add("rs_group_free", 1, [](World&) { rs_group_free(nullptr); return 0; });  // and at the end
  add("rs_group_all_reduce", 2, [](World& w) { return w.make(w.works, 8, [&](void** x) { return rs_group_all_reduce(w.any_of(w.groups), w.pool.any(), w.random.small(), x); }, rs_work_free); });
  add("rs_group_broadcast", 2, [](World& w) { return w.make(w.works, 8, [&](void** x) { return rs_group_broadcast(w.any_of(w.groups), w.pool.any(), w.random.small(), x); }, rs_work_free); });
  add("rs_group_all_gather", 2, [](World& w) { LIST(o); return w.make(w.works, 8, [&](void** x) { return rs_group_all_gather(w.any_of(w.groups), o.list, o.count, w.pool.any(), x); }, rs_work_free); });
  add("rs_group_reduce_scatter", 2, [](World& w) { LIST(i); return w.make(w.works, 8, [&](void** x) { return rs_group_reduce_scatter(w.any_of(w.groups), w.pool.any(), i.list, i.count, w.random.small(), x); }, rs_work_free); });
  add("rs_group_barrier", 1, [](World& w) { return w.make(w.works, 8, [&](void** x) { return rs_group_barrier(w.any_of(w.groups), x); }, rs_work_free); });
  add("rs_work_wait", 2, [](World& w) { int32_t outcome; return rs_work_wait(w.any_of(w.works), w.random.below(5), w.random.or_null(&outcome)); });
  add("rs_work_done", 2, [](World& w) { int32_t done; return rs_work_done(w.any_of(w.works), w.random.or_null(&done)); });
  add("rs_work_free", 2, [](World& w) { rs_work_free(w.take_from(w.works)); return 0; });
  add("rs_reducer_new", 2, [](World& w) { LIST(p); return w.make(w.reducers, 2, [&](void** x) { return rs_reducer_new(w.any_of(w.groups), p.list, p.count, w.random.integer(), w.random.small(), x); }, rs_reducer_free); });
  add("rs_reducer_prepare", 1, [](World& w) { return rs_reducer_prepare(w.any_of(w.reducers)); });
  add("rs_reducer_finish", 1, [](World& w) { int32_t outcome; return rs_reducer_finish(w.any_of(w.reducers), 5, w.random.or_null(w.reals.data()), w.random.small() & 7, w.random.or_null(&outcome)); });
  add("rs_reducer_buckets", 1, [](World& w) { int32_t n; return rs_reducer_buckets(w.any_of(w.reducers), w.random.or_null(&n)); });
  add("rs_reducer_free", 1, [](World& w) { rs_reducer_free(w.take_from(w.reducers)); return 0; });
  add("rs_cuda_synchronize", 1, [](World& w) { return rs_cuda_synchronize(w.random.small()); });
  add("rs_cuda_stream_new", 1, [](World& w) { void* made; return rs_cuda_stream_new(w.random.small(), w.random.small(), &made); });
  add("rs_cuda_stream_current", 1, [](World& w) { void* made; return rs_cuda_stream_current(w.random.small(), &made); });
  add("rs_cuda_stream_set", 1, [](World&) { return rs_cuda_stream_set(nullptr); });
  add("rs_cuda_stream_synchronize", 1, [](World&) { return rs_cuda_stream_synchronize(nullptr); });
  add("rs_cuda_stream_query", 1, [](World& w) { return rs_cuda_stream_query(nullptr, reinterpret_cast<int32_t*>(w.numbers.data())); });
  add("rs_cuda_stream_free", 1, [](World&) { return rs_cuda_stream_free(nullptr); });
  add("rs_cuda_stream_uses", 1, [](World&) { return rs_cuda_stream_uses(nullptr, nullptr); });
  add("rs_cuda_event_new", 1, [](World& w) { void* made; return rs_cuda_event_new(w.random.small(), &made); });
  add("rs_cuda_event_record", 1, [](World&) { return rs_cuda_event_record(nullptr, nullptr); });
  add("rs_cuda_event_block", 1, [](World&) { return rs_cuda_event_block(nullptr, nullptr); });
  add("rs_cuda_event_synchronize", 1, [](World&) { return rs_cuda_event_synchronize(nullptr); });
  add("rs_cuda_event_elapsed", 1, [](World& w) { return rs_cuda_event_elapsed(nullptr, nullptr, w.reals.data()); });
  add("rs_cuda_event_free", 1, [](World&) { return rs_cuda_event_free(nullptr); });
  add("rs_cuda_memory", 1, [](World& w) { return rs_cuda_memory(w.random.small(), w.numbers.data()); });
  add("rs_cuda_reset_peak", 1, [](World& w) { return rs_cuda_reset_peak(w.random.small()); });
  add("rs_cuda_empty_cache", 1, [](World&) { return rs_cuda_empty_cache(); });
  add("rs_cuda_graph_new", 1, [](World& w) { void* made; return rs_cuda_graph_new(w.random.small(), &made); });
  add("rs_cuda_graph_begin", 1, [](World&) { return rs_cuda_graph_begin(nullptr); });
  add("rs_cuda_graph_end", 1, [](World&) { return rs_cuda_graph_end(nullptr); });
  add("rs_cuda_graph_replay", 1, [](World&) { return rs_cuda_graph_replay(nullptr); });
  add("rs_cuda_graph_free", 1, [](World&) { return rs_cuda_graph_free(nullptr); });
  return r;
}
