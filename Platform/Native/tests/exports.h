// Every export of librecsys_native.so, as a C caller sees it. A tensor is a void*.
#pragma once

#include "../values.h"

using recsys::Arg;
using recsys::Out;
using Handles = void* const*;

struct Description {
  int64_t dim, numel, element_size, storage_offset, device;
  int32_t dtype, requires_grad, is_leaf, is_contiguous, layout, is_view;
};
struct SgdOptions { double lr, momentum, dampening, weight_decay; int32_t nesterov, maximize; };
struct AdamOptions { double lr, beta1, beta2, eps, weight_decay; int32_t amsgrad, maximize, decoupled; };
struct AdagradOptions { double lr, lr_decay, weight_decay, eps; };
struct LionOptions { double lr, beta1, beta2, weight_decay; };
struct AdafactorOptions { double lr, beta2_decay, eps1, eps2, d, weight_decay; };
using Recompute = int32_t (*)(void*, void**, int32_t, void**, int32_t, void**, char*, int32_t);
using Release = void (*)(void*);

extern "C" {
int32_t rs_abi_version();
int64_t rs_last_error(char*, int64_t);
void rs_free(void*);
int32_t rs_op_find(const char*, const char*, void**);
int32_t rs_op_schema(void*, char*, int64_t, int64_t*);
int32_t rs_op_call(void*, const Arg*, int32_t, Out*, int32_t, int32_t*);

void rs_tensor_free(void*);
int64_t rs_tensor_live();
int32_t rs_tensor_describe(void*, Description*, int64_t*, int64_t*, int32_t);
int32_t rs_tensor_data(void*, void**);
int32_t rs_tensor_from_bytes(const void*, int64_t, const int64_t*, int32_t, int32_t, Out*);
int32_t rs_tensor_to_bytes(void*, void*, int64_t);
int32_t rs_tensor_set_bytes(void*, const void*, int64_t);
int32_t rs_tensor_item(void*, Out*);
int32_t rs_tensor_alias(void*, Out*);
int32_t rs_tensor_index(void*, const Arg*, int32_t, Out*);
int32_t rs_tensor_index_put(void*, const Arg*, int32_t, const Arg*);

int32_t rs_mapping_new(int32_t, int64_t, void**);
void rs_mapping_free(void*);
int32_t rs_mapping_tensor(void*, int64_t, const int64_t*, int32_t, int32_t, Out*);

int32_t rs_backward(Handles, int32_t, Handles, int32_t, Handles, int32_t, int32_t, int32_t);
int32_t rs_grad(Handles, int32_t, Handles, int32_t, Handles, int32_t, int32_t, int32_t, int32_t, Out*);
int32_t rs_tensor_grad(void*, Out*);
int32_t rs_tensor_set_grad(void*, void*);
int32_t rs_tensor_set_requires_grad(void*, int32_t);
int32_t rs_tensor_retain_grad(void*);
int32_t rs_grad_enabled();
void rs_set_grad_enabled(int32_t);
int32_t rs_inference_enabled();
int32_t rs_inference_enter(int32_t, void**);
void rs_inference_leave(void*);
int32_t rs_recompute_attach(void*, Recompute, Release, Handles, int32_t, Handles, int32_t, Out*);

int32_t rs_autocast_get(int32_t, int32_t*, int32_t*);
int32_t rs_autocast_set(int32_t, int32_t, int32_t);
int32_t rs_autocast_nest(int32_t);

int32_t rs_manual_seed(uint64_t);
int32_t rs_generator_new(uint64_t, int64_t, void**);
int32_t rs_generator_default(int64_t, void**);
void rs_generator_free(void*);
int32_t rs_generator_seed(void*, uint64_t);
int32_t rs_generator_initial_seed(void*, uint64_t*);
int32_t rs_generator_get_state(void*, Out*);
int32_t rs_generator_set_state(void*, void*);
int32_t rs_fast_dropout(void*, double, void*, Out*);

int32_t rs_info(int32_t, char*, int64_t, int64_t*);
int32_t rs_features(int32_t*);
int32_t rs_cuda_device_count(int32_t*);
int32_t rs_get_num_threads(int32_t*);
int32_t rs_set_num_threads(int32_t);
int32_t rs_memory_kept(int64_t*);
int32_t rs_memory_release();

int32_t rs_optim_sgd(Handles, Handles, int64_t*, int32_t, const SgdOptions*);
int32_t rs_optim_adam(Handles, Handles, Handles, Handles, int64_t*, int32_t, const AdamOptions*);
int32_t rs_optim_adagrad(Handles, Handles, int64_t*, int32_t, const AdagradOptions*);
int32_t rs_optim_lion(Handles, Handles, int64_t*, int32_t, const LionOptions*);
int32_t rs_optim_adafactor(Handles, Handles, Handles, Handles, int64_t*, int32_t, const AdafactorOptions*);
int32_t rs_optim_zero_grad(Handles, int32_t, int32_t);
int32_t rs_optim_clip_grad_norm(Handles, int32_t, double, double, double*);
int32_t rs_optim_lerp(Handles, Handles, int32_t, double);

int32_t rs_dist_backends();
int32_t rs_store_new(const char*, int32_t, int32_t, int64_t, int32_t*, void**);
int32_t rs_store_prefix(void*, const char*, void**);
void rs_store_free(void*);
int32_t rs_store_set(void*, const char*, const uint8_t*, int64_t);
int32_t rs_store_get(void*, const char*, uint8_t*, int64_t, int64_t*);
int32_t rs_store_add(void*, const char*, int64_t, int64_t*);
int32_t rs_group_new(void*, const char*, int32_t, int32_t, int64_t, const char*, int32_t, void**);
int32_t rs_group_abort(void*, const char*);
void rs_group_free(void*);
int32_t rs_group_all_reduce(void*, void*, int32_t, void**);
int32_t rs_group_broadcast(void*, void*, int32_t, void**);
int32_t rs_group_all_gather(void*, Handles, int32_t, void*, void**);
int32_t rs_group_reduce_scatter(void*, void*, Handles, int32_t, int32_t, void**);
int32_t rs_group_barrier(void*, void**);
int32_t rs_work_wait(void*, int64_t, int32_t*);
int32_t rs_work_done(void*, int32_t*);
void rs_work_free(void*);
int32_t rs_reducer_new(void*, Handles, int32_t, int64_t, int32_t, void**);
int32_t rs_reducer_prepare(void*);
int32_t rs_reducer_finish(void*, int64_t, double*, int32_t, int32_t*);
int32_t rs_reducer_buckets(void*, int32_t*);
void rs_reducer_free(void*);

// Refused by a libtorch without CUDA, whatever they are given.
int32_t rs_cuda_synchronize(int32_t);
int32_t rs_cuda_stream_new(int32_t, int32_t, void**);
int32_t rs_cuda_stream_current(int32_t, void**);
int32_t rs_cuda_stream_set(void*);
int32_t rs_cuda_stream_synchronize(void*);
int32_t rs_cuda_stream_query(void*, int32_t*);
int32_t rs_cuda_stream_free(void*);
int32_t rs_cuda_stream_uses(void*, void*);
int32_t rs_cuda_event_new(int32_t, void**);
int32_t rs_cuda_event_record(void*, void*);
int32_t rs_cuda_event_block(void*, void*);
int32_t rs_cuda_event_synchronize(void*);
int32_t rs_cuda_event_elapsed(void*, void*, double*);
int32_t rs_cuda_event_free(void*);
int32_t rs_cuda_memory(int32_t, int64_t*);
int32_t rs_cuda_reset_peak(int32_t);
int32_t rs_cuda_empty_cache();
int32_t rs_cuda_graph_new(int32_t, void**);
int32_t rs_cuda_graph_begin(void*);
int32_t rs_cuda_graph_end(void*);
int32_t rs_cuda_graph_replay(void*);
int32_t rs_cuda_graph_free(void*);
}
