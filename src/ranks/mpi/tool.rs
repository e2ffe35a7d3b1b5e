//! What the crate `mpi` has no safe functions for: the tool interface of MPI, by which Open MPI is told to use a ring, and the
//! end of a process whose messages do not arrive. All unsafe code of this module.

#![expect(unsafe_code, reason = "the crate `mpi` has no safe functions for the tool interface")]

use std::ffi::{CStr, c_int};
use std::ptr;

use mpi::ffi;

/// Parameter with the algorithm by which Open MPI sums, for communicators that are made from then on.
const ALGORITHM: &CStr = c"coll_tuned_allreduce_algorithm";
/// Number of the ring among Open MPI's algorithms.
const RING: c_int = 4;
/// What the tool functions return if they succeed.
const SUCCESS: c_int = ffi::MPI_SUCCESS as c_int;

/// The parameter of the library that chooses how it sums: one integer. While this exists, it is that of a ring.
pub(super) struct RingChosen {
    parameter: ffi::MPI_T_cvar_handle,
    before: c_int,
}

impl RingChosen {
    /// Tells the library to use a ring. Returns `None` if it cannot be told that.
    pub(super) fn new() -> Option<Self> {
        let parameter = parameter()?;
        let mut before: c_int = 0;
        // SAFETY: the parameter is one integer of the size of `before`.
        if unsafe { ffi::MPI_T_cvar_read(parameter, (&raw mut before).cast()) } != SUCCESS {
            return None;
        }
        let chosen = Self { parameter, before };
        chosen.write(RING).then_some(chosen)
    }

    fn write(&self, algorithm: c_int) -> bool {
        // SAFETY: the parameter is one integer of the size of `algorithm`.
        unsafe { ffi::MPI_T_cvar_write(self.parameter, (&raw const algorithm).cast()) == SUCCESS }
    }
}

impl Drop for RingChosen {
    fn drop(&mut self) {
        // If this fails, the library keeps the ring for all communicators that are made later, and none is.
        let _is_as_before = self.write(self.before);
        // SAFETY: the handle is valid, and nothing uses it afterwards.
        unsafe { ffi::MPI_T_cvar_handle_free(&raw mut self.parameter) };
    }
}

/// Returns the parameter of the library if it has one, and if that is one integer.
fn parameter() -> Option<ffi::MPI_T_cvar_handle> {
    let (mut provided, mut index, mut count) = (0, 0, 0);
    let mut handle: ffi::MPI_T_cvar_handle = ptr::null_mut();
    // SAFETY: each pointer is to a local variable of the type that the MPI standard gives the argument. The tool interface may be
    // initialised at any time, and again.
    unsafe {
        let is_there = ffi::MPI_T_init_thread(ffi::RSMPI_THREAD_SINGLE, &raw mut provided)
            == SUCCESS
            && ffi::MPI_T_cvar_get_index(ALGORITHM.as_ptr(), &raw mut index) == SUCCESS
            && size_of_one(index) == Some(size_of::<c_int>())
            && ffi::MPI_T_cvar_handle_alloc(
                index,
                ptr::null_mut(),
                &raw mut handle,
                &raw mut count,
            ) == SUCCESS;
        if is_there && count != 1 {
            ffi::MPI_T_cvar_handle_free(&raw mut handle);
        }
        (is_there && count == 1).then_some(handle)
    }
}

/// Returns the bytes of one value of the parameter `index`; `None` if the library does not tell.
fn size_of_one(index: c_int) -> Option<usize> {
    let (mut verbosity, mut binding, mut scope) = (0, 0, 0);
    // A length of 0 asks for no text.
    let (mut name, mut text) = (0, 0);
    let mut size = 0;
    // SAFETY: each pointer is to a local variable of the type that the MPI standard gives the argument, or null where the standard
    // allows that. The datatype is one of the library's own, which `MPI_T_cvar_get_info` has just returned.
    unsafe {
        let mut datatype = ffi::RSMPI_DATATYPE_NULL;
        let is_known = ffi::MPI_T_cvar_get_info(
            index,
            ptr::null_mut(),
            &raw mut name,
            &raw mut verbosity,
            &raw mut datatype,
            ptr::null_mut(),
            ptr::null_mut(),
            &raw mut text,
            &raw mut binding,
            &raw mut scope,
        ) == SUCCESS
            && datatype != ffi::RSMPI_DATATYPE_NULL
            && ffi::MPI_Type_size(datatype, &raw mut size) == SUCCESS;
        is_known.then_some(size as usize)
    }
}

/// Ends the process without a word to the library, in which another thread may be waiting.
pub(super) fn exit_at_once(code: i32) -> ! {
    #[cfg(unix)]
    // SAFETY: the function has no conditions, and does not return.
    unsafe {
        libc::_exit(code)
    }
    #[cfg(not(unix))]
    std::process::exit(code)
}
