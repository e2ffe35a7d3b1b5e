//! The tool interface of MPI, by which Open MPI is told to use a ring. All unsafe code of this module.

#![expect(unsafe_code, reason = "the crate `mpi` has no safe functions for the tool interface")]

use std::ffi::{CStr, c_int, c_void};
use std::ptr;

use mpi::ffi;

/// Parameter with the algorithm by which Open MPI sums, for communicators that are made from then on.
const ALGORITHM: &CStr = c"coll_tuned_allreduce_algorithm";
/// Number of the ring among Open MPI's algorithms.
const RING: c_int = 4;
/// Number with which Open MPI chooses by itself.
const ITS_OWN: c_int = 0;

/// Calls `make` while the library is told to sum by a ring. Returns `None` without a call if it cannot be told that.
pub(super) fn by_ring<T>(make: impl FnOnce() -> T) -> Option<T> {
    let success = ffi::MPI_SUCCESS as c_int;
    let (mut provided, mut index, mut count) = (0, 0, 0);
    let mut handle: ffi::MPI_T_cvar_handle = ptr::null_mut();
    // SAFETY: each pointer is to a local variable of the type that the MPI standard gives the argument. The tool interface may be
    // initialised at any time, and again. The parameter is one integer: `count` says so before it is written.
    unsafe {
        if ffi::MPI_T_init_thread(ffi::RSMPI_THREAD_SINGLE, &raw mut provided) != success
            || ffi::MPI_T_cvar_get_index(ALGORITHM.as_ptr(), &raw mut index) != success
            || ffi::MPI_T_cvar_handle_alloc(index, ptr::null_mut(), &raw mut handle, &raw mut count)
                != success
            || count != 1
        {
            return None;
        }
    }
    let set = |algorithm: c_int| {
        // SAFETY: the handle is of a parameter of one integer, and `algorithm` is one.
        unsafe { ffi::MPI_T_cvar_write(handle, (&raw const algorithm).cast::<c_void>()) == success }
    };
    if !set(RING) {
        return None;
    }
    let made = make();
    set(ITS_OWN).then_some(made)
}
