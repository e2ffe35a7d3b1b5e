//! NVIDIA's assembler as a proxy for the compiler in NVIDIA's Vulkan driver.
//!
//! naga translates the program to Metal's C++, Clang compiles that to PTX, and `ptxas`, which is NVIDIA's own, makes
//! the machine code. The driver begins with SPIR-V instead, so what Clang does before `ptxas` is not what the driver
//! does: loops may be unrolled otherwise.

use std::path::Path;
use std::process::Command;

use crate::code::{Code, Kind, bytes_of};
use crate::cpp::{Dialect, to_cpp};
use crate::{Compiled, Program};

/// What NVIDIA's GPUs call the values that a kernel is given.
const DIALECT: Dialect = Dialect {
    before: "#define warplaw_barrier() __syncthreads()\n\
             extern \"C\" __attribute__((device)) void __syncthreads();\n",
    kernel: "extern \"C\" __attribute__((global)) void",
    shared: "static __attribute__((shared))",
};
