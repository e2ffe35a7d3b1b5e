//! Arrays of NumPy.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use npyz::{DType, Endianness, NpyFile, Order, TypeChar};

use crate::profile::Scalar;

/// Reads the numbers of an array as a shader reads them from memory. They must be of the kind `scalar`, if there is one.
///
/// # Errors
/// Returns an error without the path if the file cannot be read, or has numbers of another kind or order.
pub(super) fn read(path: &Path, scalar: Option<Scalar>) -> Result<Vec<u8>, String> {
    let file = File::open(path).map_err(|error| error.to_string())?;
    let array = NpyFile::new(BufReader::new(file)).map_err(|error| error.to_string())?;
    let DType::Plain(kind) = array.dtype() else {
        return Err("an array of records; save its fields as arrays of their own".to_owned());
    };
    if kind.endianness() == Endianness::Big {
        return Err("numbers with their highest byte first; save `array.astype('<...')`".to_owned());
    }
    if array.order() == Order::Fortran && array.shape().len() > 1 {
        return Err(
            "an array in the order of Fortran; save `numpy.ascontiguousarray(array)`".to_owned()
        );
    }
    let found = match (kind.type_char(), kind.num_bytes()) {
        (TypeChar::Uint, Some(4)) => Some(Scalar::U32),
        (TypeChar::Int, Some(4)) => Some(Scalar::I32),
        (TypeChar::Float, Some(4)) => Some(Scalar::F32),
        (TypeChar::Float, Some(2)) => Some(Scalar::F16),
        (TypeChar::Uint, Some(8)) => Some(Scalar::U64),
        (TypeChar::Int, Some(8)) => Some(Scalar::I64),
        (TypeChar::Float, Some(8)) => Some(Scalar::F64),
        // Bytes may be anything.
        (TypeChar::Uint, Some(1)) => None,
        _ => return Err(format!("numbers of the kind {kind}, which WGSL does not have")),
    };
    if let (Some(found), Some(wanted)) = (found, scalar)
        && found != wanted
    {
        return Err(format!(
            "numbers of the kind {}, and the shader has {}; save `array.astype('{}')`",
            found.as_str(),
            wanted.as_str(),
            numpy_name(wanted)
        ));
    }
    let wanted = array.len().checked_mul(kind.num_bytes().unwrap_or(1) as u64);
    let mut bytes = Vec::new();
    array.into_inner().read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    match wanted == Some(bytes.len() as u64) {
        true => Ok(bytes),
        false => Err(format!("{} bytes, which its shape contradicts", bytes.len())),
    }
}

/// Returns the name of a kind of number in NumPy.
fn numpy_name(scalar: Scalar) -> &'static str {
    match scalar {
        Scalar::U32 => "uint32",
        Scalar::I32 => "int32",
        Scalar::F32 => "float32",
        Scalar::F16 => "float16",
        Scalar::U64 => "uint64",
        Scalar::I64 => "int64",
        Scalar::F64 => "float64",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes an array as NumPy does: its description as a Python literal after a magic number.
    fn write(path: &Path, kind: &str, order: &str, shape: &str, data: &[u8]) {
        let description =
            format!("{{'descr': '{kind}', 'fortran_order': {order}, 'shape': {shape}, }}");
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((description.len() as u16 + 1).to_le_bytes());
        bytes.extend(description.as_bytes());
        bytes.push(b'\n');
        bytes.extend(data);
        std::fs::write(path, bytes).expect("a file can be written");
    }

    #[test]
    fn arrays_of_the_kind_of_the_shader_are_read_and_others_refused() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let path = folder.path().join("a.npy");
        let data: Vec<u8> = [7u32, 9].iter().flat_map(|word| word.to_le_bytes()).collect();
        write(&path, "<u4", "False", "(2,)", &data);
        assert_eq!(read(&path, Some(Scalar::U32)), Ok(data.clone()));
        assert_eq!(read(&path, None), Ok(data.clone()));
        let refused = |scalar| read(&path, Some(scalar)).expect_err("the array is refused");
        assert!(refused(Scalar::F32).contains("save `array.astype('float32')`"));
        for (kind, order, part) in [
            (">u4", "False", "highest byte first"),
            ("<u4", "True", "order of Fortran"),
            ("<c8", "False", "does not have"),
        ] {
            write(&path, kind, order, "(1, 2)", &data);
            let error = refused(Scalar::U32);
            assert!(error.contains(part) && !error.contains('\n'), "{error}");
        }
        write(&path, "<u4", "False", "(3,)", &data);
        assert!(refused(Scalar::U32).contains("its shape contradicts"));
        std::fs::write(&path, "no array").expect("a file can be written");
        assert!(!refused(Scalar::U32).contains('\n'));
    }
}
