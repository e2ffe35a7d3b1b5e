// What `metal.hpp` needs of C++ for OpenCL.

#pragma OPENCL EXTENSION cl_khr_fp16 : enable

#define device __global
#define constant const __global
#define threadgroup __local

// Words that OpenCL keeps for itself, and that kernels use as names.
#define local local_
#define read_only read_only_

#define HAS_HALF

#define warplaw_barrier() barrier(CLK_LOCAL_MEM_FENCE)
#define warplaw_sum(x) sub_group_reduce_add(x)

// IGC loads atomically by adding no bit, too. Pointers without an address space would make it test for the space of each.
#define ATOMICS(space)                                                                            \
    static inline unsigned warplaw_load(space unsigned *at) { return atomic_or(at, 0u); }         \
    static inline void warplaw_store(space unsigned *at, unsigned value) {                        \
        atomic_xchg(at, value);                                                                   \
    }                                                                                             \
    static inline unsigned warplaw_add(space unsigned *at, unsigned value) {                      \
        return atomic_add(at, value);                                                             \
    }                                                                                             \
    static inline unsigned warplaw_max(space unsigned *at, unsigned value) {                      \
        return atomic_max(at, value);                                                             \
    }                                                                                             \
    static inline bool warplaw_exchange(space unsigned *at, unsigned *seen, unsigned value) {     \
        unsigned expected = *seen;                                                                \
        *seen = atomic_cmpxchg(at, expected, value);                                              \
        return *seen == expected;                                                                 \
    }
ATOMICS(__global)
ATOMICS(__local)
#undef ATOMICS
