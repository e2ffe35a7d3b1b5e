// What `metal.hpp` needs of Clang for NVIDIA's GPUs.

#pragma clang force_cuda_host_device begin

// Clang infers address spaces from the parameters of the kernel.
#define device
#define constant const
#define threadgroup

#define warplaw_barrier() __syncthreads()

static inline unsigned warplaw_sum(unsigned x) {
    for (int by = 16; by > 0; by /= 2)
        x += __nvvm_shfl_sync_bfly_i32(0xffffffffu, x, by, 0x1f);
    return x;
}
static inline float warplaw_sum(float x) {
    for (int by = 16; by > 0; by /= 2)
        x += __nvvm_shfl_sync_bfly_f32(0xffffffffu, x, by, 0x1f);
    return x;
}

static inline unsigned warplaw_load(unsigned *at) { return __atomic_load_n(at, __ATOMIC_RELAXED); }
static inline void warplaw_store(unsigned *at, unsigned value) {
    __atomic_store_n(at, value, __ATOMIC_RELAXED);
}
static inline unsigned warplaw_add(unsigned *at, unsigned value) {
    return __atomic_fetch_add(at, value, __ATOMIC_RELAXED);
}
static inline unsigned warplaw_max(unsigned *at, unsigned value) {
    return __atomic_fetch_max(at, value, __ATOMIC_RELAXED);
}
static inline bool warplaw_exchange(unsigned *at, unsigned *seen, unsigned value) {
    return __atomic_compare_exchange_n(at, seen, value, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}
