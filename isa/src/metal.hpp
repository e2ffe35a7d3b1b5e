// What the C++ that naga writes for Metal needs, so that a C++ compiler for another GPU accepts it. The header before it
// defines the address spaces, `warplaw_barrier`, `warplaw_sum`, the atomics and, where there are numbers of 16 bits,
// `HAS_HALF`.

typedef unsigned int uint;
typedef unsigned long ulong;
typedef unsigned short ushort;
typedef unsigned char uchar;
struct packed_char4 {
    signed char x, y, z, w;
    signed char operator[](int at) const { return at == 0 ? x : at == 1 ? y : at == 2 ? z : w; }
};

#define thread
#define kernel static inline __attribute__((always_inline))

namespace metal {

using ::uint;
using ::ulong;

template <typename T, int N> struct vec;

template <typename T> struct alignas(2 * sizeof(T)) vec<T, 2> {
    T x, y;
    vec() = default;
    vec(const vec &v) : x(v.x), y(v.y) {}
    vec &operator=(const vec &v) { x = v.x; y = v.y; return *this; }
    vec(T a) : x(a), y(a) {}
    vec(T a, T b) : x(a), y(b) {}
    template <typename U> explicit vec(vec<U, 2> v) : x(T(v.x)), y(T(v.y)) {}
    template <typename F, typename U> static vec map(F f, vec<U, 2> a, vec<U, 2> b) {
        return vec(f(a.x, b.x), f(a.y, b.y));
    }
};

template <typename T> struct vec<T, 3> {
    T x, y, z;
    vec() = default;
    vec(T a) : x(a), y(a), z(a) {}
    vec(T a, T b, T c) : x(a), y(b), z(c) {}
    template <typename F, typename U> static vec map(F f, vec<U, 3> a, vec<U, 3> b) {
        return vec(f(a.x, b.x), f(a.y, b.y), f(a.z, b.z));
    }
};

// A vector in memory is aligned to its size, so that one instruction loads it.
template <typename T> struct alignas(4 * sizeof(T)) vec<T, 4> {
    T x, y, z, w;
    vec() = default;
    vec(const vec &v) : x(v.x), y(v.y), z(v.z), w(v.w) {}
    vec &operator=(const vec &v) { x = v.x; y = v.y; z = v.z; w = v.w; return *this; }
    vec(T a) : x(a), y(a), z(a), w(a) {}
    vec(T a, T b, T c, T d) : x(a), y(b), z(c), w(d) {}
    template <typename U>
    explicit vec(vec<U, 4> v) : x(T(v.x)), y(T(v.y)), z(T(v.z)), w(T(v.w)) {}
    template <typename F, typename U> static vec map(F f, vec<U, 4> a, vec<U, 4> b) {
        return vec(f(a.x, b.x), f(a.y, b.y), f(a.z, b.z), f(a.w, b.w));
    }
};

#define OPERATOR(op)                                                                              \
    template <typename T, int N> inline vec<T, N> operator op(vec<T, N> a, vec<T, N> b) {         \
        return vec<T, N>::map([](T x, T y) { return T(x op y); }, a, b);                          \
    }                                                                                             \
    template <typename T, int N> inline vec<T, N> operator op(vec<T, N> a, T b) {                 \
        return a op vec<T, N>(b);                                                                 \
    }                                                                                             \
    template <typename T, int N> inline vec<T, N> operator op(T a, vec<T, N> b) {                 \
        return vec<T, N>(a) op b;                                                                 \
    }
OPERATOR(+)
OPERATOR(-)
OPERATOR(*)
OPERATOR(&)
OPERATOR(|)
OPERATOR(^)
OPERATOR(<<)
OPERATOR(>>)
#undef OPERATOR

template <typename T, int N> inline vec<bool, N> operator<(vec<T, N> a, vec<T, N> b) {
    return vec<bool, N>::map([](T x, T y) { return x < y; }, a, b);
}

inline vec<ulong, 2> operator<<(vec<ulong, 2> a, vec<uint, 2> b) { return a << vec<ulong, 2>(b); }
inline vec<ulong, 2> operator>>(vec<ulong, 2> a, vec<uint, 2> b) { return a >> vec<ulong, 2>(b); }
inline vec<ulong, 4> operator<<(vec<ulong, 4> a, vec<uint, 4> b) { return a << vec<ulong, 4>(b); }
inline vec<ulong, 4> operator>>(vec<ulong, 4> a, vec<uint, 4> b) { return a >> vec<ulong, 4>(b); }

typedef vec<uint, 2> uint2;
typedef vec<uint, 3> uint3;
typedef vec<uint, 4> uint4;
typedef vec<int, 2> int2;
typedef vec<int, 4> int4;
typedef vec<float, 2> float2;
typedef vec<float, 4> float4;
typedef vec<ulong, 2> ulong2;
typedef vec<ulong, 4> ulong4;
#ifdef HAS_HALF
typedef vec<half, 2> half2;
typedef vec<half, 4> half4;
#endif

inline uint select(uint a, uint b, bool second) { return second ? b : a; }
inline float select(float a, float b, bool second) { return second ? b : a; }
template <typename T> inline vec<T, 4> select(vec<T, 4> a, vec<T, 4> b, vec<bool, 4> c) {
    return vec<T, 4>(c.x ? b.x : a.x, c.y ? b.y : a.y, c.z ? b.z : a.z, c.w ? b.w : a.w);
}
inline uint min(uint a, uint b) { return a < b ? a : b; }
inline uint max(uint a, uint b) { return a > b ? a : b; }
inline float fma(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
#ifdef HAS_HALF
inline half fma(half a, half b, half c) { return ::fma(a, b, c); }
#endif
template <typename T> inline vec<T, 2> fma(vec<T, 2> a, vec<T, 2> b, vec<T, 2> c) {
    return vec<T, 2>(fma(a.x, b.x, c.x), fma(a.y, b.y, c.y));
}
template <typename T> inline vec<T, 4> fma(vec<T, 4> a, vec<T, 4> b, vec<T, 4> c) {
    return vec<T, 4>(fma(a.x, b.x, c.x), fma(a.y, b.y, c.y), fma(a.z, b.z, c.z), fma(a.w, b.w, c.w));
}

enum memory_order { memory_order_relaxed };
typedef uint atomic_uint;
template <typename P> inline uint atomic_load_explicit(P at, memory_order) {
    return warplaw_load(at);
}
template <typename P> inline void atomic_store_explicit(P at, uint value, memory_order) {
    warplaw_store(at, value);
}
template <typename P> inline uint atomic_fetch_add_explicit(P at, uint value, memory_order) {
    return warplaw_add(at, value);
}
template <typename P> inline uint atomic_fetch_max_explicit(P at, uint value, memory_order) {
    return warplaw_max(at, value);
}
template <typename P>
inline bool atomic_compare_exchange_weak_explicit(P at, uint *seen, uint value, memory_order,
                                                  memory_order) {
    return warplaw_exchange(at, seen, value);
}

enum mem_flags { mem_none, mem_device, mem_threadgroup };
inline void threadgroup_barrier(mem_flags) { warplaw_barrier(); }
inline uint simd_sum(uint x) { return warplaw_sum(x); }
inline float simd_sum(float x) { return warplaw_sum(x); }

} // namespace metal

template <typename To, typename From> inline To as_type(From from) {
    To to;
    __builtin_memcpy(&to, &from, sizeof to);
    return to;
}
