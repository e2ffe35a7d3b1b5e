//! What the crate `mpi` has no safe functions for: the tool interface of MPI, by which Open MPI is told to use a ring, and the
//! end of a process whose messages do not arrive. All unsafe code of this module.

#![expect(unsafe_code, reason = "the crate `mpi` has no safe functions for the tool interface")]

use std::ffi::{CStr, c_int};
use std::ptr;

use mpi::ffi;

/// Parameter that lets the next two have an effect.
const OWN_ALGORITHMS: &CStr = c"coll_tuned_use_dynamic_rules";
/// Parameter with the algorithm by which Open MPI sums, for communicators that are made from then on.
const ALGORITHM: &CStr = c"coll_tuned_allreduce_algorithm";
/// Number of the ring among Open MPI's algorithms.
const RING: c_int = 4;
/// Parameter with the rank of a component that sums between hosts in another way, and precedes that with the ring.
const BETWEEN_HOSTS: &CStr = c"coll_han_priority";
/// What the tool functions return if they succeed.
const SUCCESS: c_int = ffi::MPI_SUCCESS as c_int;

/// Parameters of the library by which it sums by a ring. When this is dropped, they have their values of before.
pub(super) struct RingChosen {
    _algorithm: Changed,
    /// `None` if the library has no such component.
    _between_hosts: Option<Changed>,
}

impl RingChosen {
    /// Tells the library to use a ring. Returns `None` if it cannot be told that.
    pub(super) fn new() -> Option<Self> {
        let is_heard = Parameter::find(OWN_ALGORITHMS)?.read()? != 0;
        let between_hosts = match Parameter::find(BETWEEN_HOSTS) {
            Some(parameter) => Some(Changed::new(parameter, 0)?),
            None => None,
        };
        let algorithm = Changed::new(Parameter::find(ALGORITHM)?, RING)?;
        is_heard.then_some(Self { _algorithm: algorithm, _between_hosts: between_hosts })
    }
}

/// A parameter with another value for a while.
struct Changed {
    parameter: Parameter,
    before: c_int,
}

impl Changed {
    fn new(parameter: Parameter, value: c_int) -> Option<Self> {
        let before = parameter.read()?;
        let is_changed = parameter.write(value) && parameter.read() == Some(value);
        is_changed.then_some(Self { parameter, before })
    }
}

impl Drop for Changed {
    fn drop(&mut self) {
        // If this fails, the value stays for communicators that are made later, and none is.
        let _is_as_before = self.parameter.write(self.before);
    }
}

/// A parameter of the library: one integer.
struct Parameter(ffi::MPI_T_cvar_handle);

impl Parameter {
    /// Returns the parameter of this name, if there is one and it is one integer.
    fn find(name: &CStr) -> Option<Self> {
        let (mut provided, mut index, mut count) = (0, 0, 0);
        let mut handle: ffi::MPI_T_cvar_handle = ptr::null_mut();
        // SAFETY: each pointer is to a local variable of the type that the MPI standard gives the argument. The tool interface may
        // be initialised at any time, and again.
        let found = unsafe {
            ffi::MPI_T_init_thread(ffi::RSMPI_THREAD_FUNNELED, &raw mut provided) == SUCCESS
                && ffi::MPI_T_cvar_get_index(name.as_ptr(), &raw mut index) == SUCCESS
                && size_of_one(index) == Some(size_of::<c_int>())
                && ffi::MPI_T_cvar_handle_alloc(
                    index,
                    ptr::null_mut(),
                    &raw mut handle,
                    &raw mut count,
                ) == SUCCESS
        };
        found.then_some(Self(handle)).filter(|_| count == 1)
    }

    fn read(&self) -> Option<c_int> {
        let mut value: c_int = 0;
        // SAFETY: the parameter is one integer of the size of `value`.
        let is_read = unsafe { ffi::MPI_T_cvar_read(self.0, (&raw mut value).cast()) == SUCCESS };
        is_read.then_some(value)
    }

    fn write(&self, value: c_int) -> bool {
        // SAFETY: the parameter is one integer of the size of `value`.
        unsafe { ffi::MPI_T_cvar_write(self.0, (&raw const value).cast()) == SUCCESS }
    }
}

impl Drop for Parameter {
    fn drop(&mut self) {
        // SAFETY: the handle is valid, and nothing uses it afterwards.
        unsafe { ffi::MPI_T_cvar_handle_free(&raw mut self.0) };
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
