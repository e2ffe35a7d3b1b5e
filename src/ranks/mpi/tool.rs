//! What the crate `mpi` has no safe functions for: the tool interface of MPI, by which Open MPI is told to use a ring, and the
//! end of a process whose messages do not arrive. All unsafe code of this module.

#![expect(unsafe_code, reason = "the crate `mpi` has no safe functions for the tool interface")]

use std::ffi::{CStr, c_int};
use std::ptr;

use mpi::ffi;

/// Parameter that lets the next one have an effect.
const OWN_ALGORITHMS: &CStr = c"coll_tuned_use_dynamic_rules";
/// Parameter with the algorithm by which Open MPI sums, for communicators that are made from then on.
const ALGORITHM: &CStr = c"coll_tuned_allreduce_algorithm";
/// Number of the ring among Open MPI's algorithms.
const RING: c_int = 4;
/// Parameters with the priorities of the component that has these algorithms, and of one that sums between hosts in its own way.
const PRIORITIES: [&CStr; 2] = [c"coll_tuned_priority", c"coll_han_priority"];
/// What the tool functions return if they succeed.
const SUCCESS: c_int = ffi::MPI_SUCCESS as c_int;

/// The library sums by a ring on communicators that are made while this exists.
pub(super) struct RingChosen {
    algorithm: Parameter,
    before: c_int,
}

impl RingChosen {
    /// Tells the library to use a ring. Returns `None` if it cannot be told that.
    pub(super) fn new(are_on_one_host: bool) -> Option<Self> {
        let priority = |name| Parameter::find(name).and_then(|parameter| parameter.read());
        let [own, between_hosts] = PRIORITIES.map(priority);
        let is_heard = Parameter::find(OWN_ALGORITHMS)?.read()? != 0
            && (are_on_one_host || between_hosts.unwrap_or(0) <= own?);
        if !is_heard {
            return None;
        }
        let algorithm = Parameter::find(ALGORITHM)?;
        let before = algorithm.read()?;
        algorithm.write(RING).then_some(Self { algorithm, before })
    }
}

impl Drop for RingChosen {
    fn drop(&mut self) {
        // If this fails, communicators that are made later have the ring, and none is.
        let _is_as_before = self.algorithm.write(self.before);
    }
}

/// A parameter of the library: one integer, or one boolean of a byte.
struct Parameter {
    handle: ffi::MPI_T_cvar_handle,
    size: usize,
}

impl Parameter {
    /// Returns the parameter of this name, if there is one and it has this type.
    fn find(name: &CStr) -> Option<Self> {
        let (mut provided, mut index, mut count) = (0, 0, 0);
        let mut handle: ffi::MPI_T_cvar_handle = ptr::null_mut();
        // SAFETY: each pointer is to a local variable of the type that the MPI standard gives the argument. The tool interface may
        // be initialised at any time, and again.
        let is_there = unsafe {
            ffi::MPI_T_init_thread(ffi::RSMPI_THREAD_FUNNELED, &raw mut provided) == SUCCESS
                && ffi::MPI_T_cvar_get_index(name.as_ptr(), &raw mut index) == SUCCESS
        };
        let size = size_of_one(index).filter(|_| is_there)?;
        // SAFETY: as above. The parameter belongs to no object of the library.
        let is_open = unsafe {
            let (no_object, handle, count) = (ptr::null_mut(), &raw mut handle, &raw mut count);
            ffi::MPI_T_cvar_handle_alloc(index, no_object, handle, count) == SUCCESS
        };
        let is_known = count == 1 && (size == 1 || size == size_of::<c_int>());
        is_open.then_some(Self { handle, size }).filter(|_| is_known)
    }

    fn read(&self) -> Option<c_int> {
        let mut bytes = [0u8; size_of::<c_int>()];
        // SAFETY: the parameter has one value of `self.size` bytes, which is at most the length of `bytes`.
        let is_read =
            unsafe { ffi::MPI_T_cvar_read(self.handle, bytes.as_mut_ptr().cast()) == SUCCESS };
        let value = if self.size == 1 { bytes[0].into() } else { c_int::from_ne_bytes(bytes) };
        is_read.then_some(value)
    }

    /// Writes an integer. Returns whether it has been written.
    fn write(&self, value: c_int) -> bool {
        // SAFETY: the parameter is one integer if it has the size of one.
        self.size == size_of::<c_int>()
            && unsafe { ffi::MPI_T_cvar_write(self.handle, (&raw const value).cast()) == SUCCESS }
    }
}

impl Drop for Parameter {
    fn drop(&mut self) {
        // SAFETY: the handle is valid, and nothing uses it afterwards.
        unsafe { ffi::MPI_T_cvar_handle_free(&raw mut self.handle) };
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
