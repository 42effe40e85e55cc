// HDF5 for GNU Octave, as far as the tests of matlab/ need it.
//
// MATLAB has h5create, h5write, h5read, h5info, h5readatt and h5writeatt; Octave has not. The .m files beside this one
// carry MATLAB's argument lists and call h5shim(VERB, FILE, ...). As in MATLAB, sizes are reversed between the two
// worlds: a dataset of (2, 3) on disk is a 3 x 2 array here. Each call opens the file and closes it again.
//
//   h5shim("create",   file, path, size, class, chunk, deflate)   Inf in size = grows; chunk [] = contiguous
//   h5shim("write",    file, path, value, start, count)           start, count [] = everything; grows when it may
//   h5shim("read",     file, path, start, count)
//   h5shim("writeatt", file, path, name, value)
//   h5shim("readatt",  file, path, name)
//   h5shim("info",     file, path)

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include <hdf5.h>

#include <octave/Cell.h>
#include <octave/oct-map.h>
#include <octave/oct.h>

namespace
{
  typedef std::vector<hsize_t> Sizes;

  // ---------------------------------------------------------------------------------------------- handles and errors

  // An HDF5 identifier that is closed when it goes out of scope.
  class Id
  {
  public:
    Id (hid_t id, herr_t (*closer) (hid_t), const std::string& complaint) : m_id (id), m_closer (closer)
    {
      if (id < 0)
        error ("%s", complaint.c_str ());
    }
    ~Id () { m_closer (m_id); }
    Id (const Id&) = delete;
    Id& operator= (const Id&) = delete;
    operator hid_t () const { return m_id; }

  private:
    hid_t m_id;
    herr_t (*m_closer) (hid_t);
  };

  void check (herr_t status, const std::string& complaint)
  {
    if (status < 0)
      error ("%s", complaint.c_str ());
  }

  std::string quoted (const std::string& text) { return "'" + text + "'"; }

  // ------------------------------------------------------------------------------------------------ sizes and classes

  // Octave's sizes and HDF5's are each other's reverse.
  Sizes reversed (const octave_value& value, hsize_t infinite = H5S_UNLIMITED)
  {
    NDArray numbers = value.array_value ();
    Sizes sizes;
    for (octave_idx_type i = numbers.numel () - 1; i >= 0; i--)
      sizes.push_back (std::isinf (numbers(i)) ? infinite : static_cast<hsize_t> (numbers(i)));
    return sizes;
  }

  dim_vector octave_size (const Sizes& sizes)
  {
    dim_vector dims (1, 1);
    if (sizes.size () == 1)
      dims(0) = sizes[0];
    else if (sizes.size () > 1)
      {
        dims.resize (sizes.size ());
        for (size_t i = 0; i < sizes.size (); i++)
          dims(i) = sizes[sizes.size () - 1 - i];
      }
    return dims;
  }

  octave_value row_of (const Sizes& sizes)
  {
    RowVector row (sizes.size ());
    for (size_t i = 0; i < sizes.size (); i++)
      {
        hsize_t n = sizes[sizes.size () - 1 - i];
        row(i) = n == H5S_UNLIMITED ? octave_Inf : static_cast<double> (n);
      }
    return row;
  }

  Sizes extent (hid_t space, Sizes *largest = nullptr)
  {
    int rank = H5Sget_simple_extent_ndims (space);
    Sizes now (std::max (rank, 0)), most (now.size ());
    if (rank > 0)
      H5Sget_simple_extent_dims (space, now.data (), most.data ());
    if (largest)
      *largest = most;
    return now;
  }

  hid_t native_type (const std::string& name)
  {
    if (name == "double") return H5T_NATIVE_DOUBLE;
    if (name == "single") return H5T_NATIVE_FLOAT;
    if (name == "int8") return H5T_NATIVE_INT8;
    if (name == "int16") return H5T_NATIVE_INT16;
    if (name == "int32") return H5T_NATIVE_INT32;
    if (name == "int64") return H5T_NATIVE_INT64;
    if (name == "uint8") return H5T_NATIVE_UINT8;
    if (name == "uint16") return H5T_NATIVE_UINT16;
    if (name == "uint32") return H5T_NATIVE_UINT32;
    if (name == "uint64") return H5T_NATIVE_UINT64;
    error ("h5shim: values of class '%s' cannot be stored; use double, single or an integer class", name.c_str ());
  }

  std::string class_of (hid_t type)
  {
    size_t bytes = H5Tget_size (type);
    switch (H5Tget_class (type))
      {
      case H5T_FLOAT:
        return bytes <= 4 ? "single" : "double";
      case H5T_INTEGER:
        return (H5Tget_sign (type) == H5T_SGN_NONE ? "uint" : "int") + std::to_string (8 * bytes);
      case H5T_STRING:
        return "string";
      case H5T_ENUM:
        return "enum";
      default:
        return "other";
      }
  }

  // ---------------------------------------------------------------------------------------- from the file to an Octave value

  typedef std::function<void (hid_t type, void *memory)> Fetch;

  template <typename A>
  octave_value numbers (const dim_vector& dims, hid_t type, const Fetch& fetch)
  {
    A array (dims);
    if (array.numel () > 0)
      fetch (type, array.fortran_vec ());
    return octave_value (array);
  }

  octave_value numbers_of_class (const std::string& name, const dim_vector& dims, const Fetch& fetch)
  {
    hid_t type = native_type (name);
    if (name == "double") return numbers<NDArray> (dims, type, fetch);
    if (name == "single") return numbers<FloatNDArray> (dims, type, fetch);
    if (name == "int8") return numbers<int8NDArray> (dims, type, fetch);
    if (name == "int16") return numbers<int16NDArray> (dims, type, fetch);
    if (name == "int32") return numbers<int32NDArray> (dims, type, fetch);
    if (name == "int64") return numbers<int64NDArray> (dims, type, fetch);
    if (name == "uint8") return numbers<uint8NDArray> (dims, type, fetch);
    if (name == "uint16") return numbers<uint16NDArray> (dims, type, fetch);
    if (name == "uint32") return numbers<uint32NDArray> (dims, type, fetch);
    return numbers<uint64NDArray> (dims, type, fetch);
  }

  // One text comes back as char, several as a cell of char.
  octave_value texts_as_value (const std::vector<std::string>& texts, const dim_vector& dims, bool single)
  {
    if (single)
      return octave_value (texts[0]);
    Cell cell (dims);
    for (size_t i = 0; i < texts.size (); i++)
      cell(i) = octave_value (texts[i]);
    return cell;
  }

  std::vector<std::string> texts (hid_t type, hid_t space, size_t count, const Fetch& fetch)
  {
    std::vector<std::string> result;
    if (count == 0)
      return result;
    if (H5Tis_variable_str (type) > 0)
      {
        std::vector<char *> pointers (count, nullptr);
        fetch (type, pointers.data ());
        for (char *p : pointers)
          result.push_back (p ? p : "");
        H5Dvlen_reclaim (type, space, H5P_DEFAULT, pointers.data ());
        return result;
      }
    size_t length = H5Tget_size (type);
    std::vector<char> block (count * length);
    fetch (type, block.data ());
    bool spaces = H5Tget_strpad (type) == H5T_STR_SPACEPAD;
    for (size_t i = 0; i < count; i++)
      {
        std::string text (block.data () + i * length, length);
        size_t end = spaces ? text.find_last_not_of (' ') + 1 : std::min (text.find ('\0'), length);
        result.push_back (text.substr (0, end));
      }
    return result;
  }

  // h5py stores a bool as an enumeration FALSE, TRUE; MATLAB hands out the names.
  std::vector<std::string> enum_names (hid_t type, size_t count, const Fetch& fetch)
  {
    size_t bytes = H5Tget_size (type);
    std::vector<char> block (count * bytes);
    if (count > 0)
      fetch (type, block.data ());
    std::vector<std::string> result;
    for (size_t i = 0; i < count; i++)
      {
        char name[256] = "";
        check (H5Tenum_nameof (type, block.data () + i * bytes, name, sizeof name), "h5shim: an enumeration has a value without a name");
        result.push_back (name);
      }
    return result;
  }

  octave_value value_from (hid_t type, hid_t space, const std::string& what, const Fetch& fetch)
  {
    if (H5Sget_simple_extent_type (space) == H5S_NULL)
      return Matrix ();
    Sizes sizes = extent (space);
    dim_vector dims = octave_size (sizes);
    size_t count = dims.numel ();
    std::string name = class_of (type);
    if (name == "other")
      error ("h5shim: %s holds compound or otherwise structured values; only numbers, strings and enumerations can be read here", what.c_str ());
    if (name == "string")
      return texts_as_value (texts (type, space, count, fetch), dims, sizes.empty ());
    if (name == "enum")
      return texts_as_value (enum_names (type, count, fetch), dims, sizes.empty ());
    return numbers_of_class (name, dims, fetch);
  }

  // A type in memory for the type on disk: strings keep their own, enumerations too (their native form).
  octave_value attribute_value (hid_t attribute, const std::string& what)
  {
    Id type (H5Aget_type (attribute), H5Tclose, "h5shim: " + what + " has no type");
    Id space (H5Aget_space (attribute), H5Sclose, "h5shim: " + what + " has no extent");
    return value_from (type, space, what, [&] (hid_t memory_type, void *memory)
      { check (H5Aread (attribute, memory_type, memory), "h5shim: " + what + " cannot be read"); });
  }

  // ------------------------------------------------------------------------------------ from an Octave value to the file

  // Calls store(type, memory) with the value's numbers.
  void with_numbers (const octave_value& value, const std::function<void (hid_t, const void *)>& store)
  {
    const std::string name = value.class_name ();
    hid_t type = native_type (name);
    if (name == "double") { NDArray a = value.array_value (); store (type, a.data ()); }
    else if (name == "single") { FloatNDArray a = value.float_array_value (); store (type, a.data ()); }
    else if (name == "int8") { int8NDArray a = value.int8_array_value (); store (type, a.data ()); }
    else if (name == "int16") { int16NDArray a = value.int16_array_value (); store (type, a.data ()); }
    else if (name == "int32") { int32NDArray a = value.int32_array_value (); store (type, a.data ()); }
    else if (name == "int64") { int64NDArray a = value.int64_array_value (); store (type, a.data ()); }
    else if (name == "uint8") { uint8NDArray a = value.uint8_array_value (); store (type, a.data ()); }
    else if (name == "uint16") { uint16NDArray a = value.uint16_array_value (); store (type, a.data ()); }
    else if (name == "uint32") { uint32NDArray a = value.uint32_array_value (); store (type, a.data ()); }
    else { uint64NDArray a = value.uint64_array_value (); store (type, a.data ()); }
  }

  // ------------------------------------------------------------------------------------------------------------ the verbs

  hid_t open_file (const std::string& file, unsigned flags)
  {
    return H5Fopen (file.c_str (), flags, H5P_DEFAULT);
  }

  std::string no_file (const std::string& file) { return "h5shim: " + quoted (file) + " is missing or is not an HDF5 file"; }

  std::string no_object (const std::string& file, const std::string& path)
  {
    return "h5shim: " + quoted (path) + " is not in " + quoted (file);
  }

  hid_t open_or_create (const std::string& file)
  {
    hid_t id = open_file (file, H5F_ACC_RDWR);
    return id >= 0 ? id : H5Fcreate (file.c_str (), H5F_ACC_EXCL, H5P_DEFAULT, H5P_DEFAULT);
  }

  void create (const std::string& file, const std::string& path, const octave_value_list& args)
  {
    Sizes most = reversed (args(3)), now = reversed (args(3), 0), chunk = reversed (args(5));
    Id type (H5Tcopy (native_type (args(4).string_value ())), H5Tclose, "h5shim: no such type");
    Id space (H5Screate_simple (now.size (), now.data (), most.data ()), H5Sclose, "h5create: this size is refused by HDF5");
    Id how (H5Pcreate (H5P_DATASET_CREATE), H5Pclose, "h5shim: no property list");
    Id links (H5Pcreate (H5P_LINK_CREATE), H5Pclose, "h5shim: no property list");
    H5Pset_create_intermediate_group (links, 1);
    if (! chunk.empty ())
      check (H5Pset_chunk (how, chunk.size (), chunk.data ()), "h5create: this ChunkSize is refused by HDF5");
    else if (std::count (most.begin (), most.end (), H5S_UNLIMITED))
      error ("h5create: a size of Inf needs a ChunkSize");
    if (args(6).int_value () > 0)
      H5Pset_deflate (how, args(6).int_value ());
    Id handle (open_or_create (file), H5Fclose, no_file (file));
    Id dataset (H5Dcreate2 (handle, path.c_str (), type, space, links, how, H5P_DEFAULT), H5Dclose,
                "h5create: " + quoted (path) + " cannot be created in " + quoted (file) + "; it may exist already");
  }

  // The part of the dataset that start and count (1-based, [] = all) name.
  hid_t selection (hid_t space, const octave_value& start, const octave_value& count, Sizes& picked)
  {
    picked = extent (space);
    if (start.isempty ())
      return H5Scopy (space);
    Sizes from = reversed (start), wanted = reversed (count);
    if (from.size () != picked.size () || wanted.size () != picked.size ())
      error ("h5shim: start and count need %d numbers each, one for each dimension", static_cast<int> (picked.size ()));
    for (size_t i = 0; i < from.size (); i++)
      {
        from[i] -= 1;
        if (wanted[i] == H5S_UNLIMITED)
          wanted[i] = picked[i] - from[i];
        if (from[i] + wanted[i] > picked[i])
          error ("h5shim: start and count reach beyond the end of the dataset");
      }
    picked = wanted;
    hid_t result = H5Scopy (space);
    H5Sselect_hyperslab (result, H5S_SELECT_SET, from.data (), nullptr, wanted.data (), nullptr);
    return result;
  }

  void grow (hid_t dataset, hid_t space, const octave_value& start, const octave_value& count, const std::string& path)
  {
    Sizes most, now = extent (space, &most), from = reversed (start), wanted = reversed (count);
    bool larger = false;
    for (size_t i = 0; i < now.size () && i < from.size () && i < wanted.size (); i++)
      {
        hsize_t end = from[i] - 1 + wanted[i];
        if (end > now[i])
          {
            if (end > most[i])
              error ("h5write: %s cannot grow to %d", path.c_str (), static_cast<int> (end));
            now[i] = end;
            larger = true;
          }
      }
    if (larger)
      check (H5Dset_extent (dataset, now.data ()), "h5write: " + quoted (path) + " cannot grow");
  }

  void write (const std::string& file, const std::string& path, const octave_value_list& args)
  {
    octave_value value = args(3), start = args(4), count = args(5);
    Id handle (open_file (file, H5F_ACC_RDWR), H5Fclose, no_file (file));
    Id dataset (H5Dopen2 (handle, path.c_str (), H5P_DEFAULT), H5Dclose, no_object (file, path));
    if (! start.isempty ())
      {
        Id before (H5Dget_space (dataset), H5Sclose, "h5shim: no extent");
        grow (dataset, before, start, count, path);
      }
    Id space (H5Dget_space (dataset), H5Sclose, "h5shim: no extent");
    Sizes picked;
    Id part (selection (space, start, count, picked), H5Sclose, "h5shim: no selection");
    hsize_t total = 1;
    for (hsize_t n : picked)
      total *= n;
    if (total != static_cast<hsize_t> (value.numel ()))
      error ("h5write: %d values were given for %d places", static_cast<int> (value.numel ()), static_cast<int> (total));
    if (total == 0)
      return;
    Id memory (H5Screate_simple (1, &total, nullptr), H5Sclose, "h5shim: no memory extent");
    with_numbers (value, [&] (hid_t type, const void *data)
      { check (H5Dwrite (dataset, type, memory, part, H5P_DEFAULT, data), "h5write: " + quoted (path) + " cannot be written"); });
  }

  octave_value read (const std::string& file, const std::string& path, const octave_value_list& args)
  {
    Id handle (open_file (file, H5F_ACC_RDONLY), H5Fclose, no_file (file));
    Id dataset (H5Dopen2 (handle, path.c_str (), H5P_DEFAULT), H5Dclose, no_object (file, path));
    Id type (H5Dget_type (dataset), H5Tclose, "h5shim: no type");
    Id space (H5Dget_space (dataset), H5Sclose, "h5shim: no extent");
    Sizes picked;
    Id part (selection (space, args(3), args(4), picked), H5Sclose, "h5shim: no selection");
    Id memory (picked.empty () ? H5Scopy (space) : H5Screate_simple (picked.size (), picked.data (), nullptr), H5Sclose,
               "h5shim: no memory extent");
    return value_from (type, memory, quoted (path), [&] (hid_t memory_type, void *data)
      { check (H5Dread (dataset, memory_type, memory, part, H5P_DEFAULT, data), "h5read: " + quoted (path) + " cannot be read"); });
  }

  void put_attribute (hid_t object, const std::string& name, hid_t type, hid_t space, const void *data)
  {
    if (H5Aexists (object, name.c_str ()) > 0)
      H5Adelete (object, name.c_str ());
    Id attribute (H5Acreate2 (object, name.c_str (), type, space, H5P_DEFAULT, H5P_DEFAULT), H5Aclose,
                  "h5writeatt: attribute " + quoted (name) + " cannot be created");
    check (H5Awrite (attribute, type, data), "h5writeatt: attribute " + quoted (name) + " cannot be written");
  }

  void writeatt (const std::string& file, const std::string& path, const octave_value_list& args)
  {
    std::string name = args(3).string_value ();
    octave_value value = args(4);
    Id handle (open_file (file, H5F_ACC_RDWR), H5Fclose, no_file (file));
    Id object (H5Oopen (handle, path.c_str (), H5P_DEFAULT), H5Oclose, no_object (file, path));
    hsize_t count = value.numel ();
    bool scalar = count == 1 || value.is_string ();
    Id space (scalar ? H5Screate (H5S_SCALAR) : H5Screate_simple (1, &count, nullptr), H5Sclose, "h5shim: no extent");
    if (value.is_string ())
      {
        std::string text = value.string_value ();
        Id type (H5Tcopy (H5T_C_S1), H5Tclose, "h5shim: no type");
        H5Tset_size (type, std::max<size_t> (text.size (), 1));
        H5Tset_strpad (type, H5T_STR_NULLPAD);
        put_attribute (object, name, type, space, text.c_str ());
        return;
      }
    with_numbers (value, [&] (hid_t type, const void *data) { put_attribute (object, name, type, space, data); });
  }

  octave_value readatt (const std::string& file, const std::string& path, const octave_value_list& args)
  {
    std::string name = args(3).string_value ();
    Id handle (open_file (file, H5F_ACC_RDONLY), H5Fclose, no_file (file));
    Id object (H5Oopen (handle, path.c_str (), H5P_DEFAULT), H5Oclose, no_object (file, path));
    Id attribute (H5Aopen (object, name.c_str (), H5P_DEFAULT), H5Aclose,
                  "h5readatt: " + quoted (path) + " has no attribute " + quoted (name));
    return attribute_value (attribute, "attribute " + quoted (name));
  }

  // ------------------------------------------------------------------------------------------------------------------ info

  octave_map struct_array (const std::vector<octave_scalar_map>& items, const std::vector<std::string>& fields)
  {
    octave_map result (dim_vector (items.size (), 1));
    for (const std::string& field : fields)
      {
        Cell column (items.size (), 1);
        for (size_t i = 0; i < items.size (); i++)
          column(i) = items[i].getfield (field);
        result.setfield (field, column);
      }
    return result;
  }

  octave_value attributes_info (hid_t object)
  {
    std::vector<octave_scalar_map> items;
    int count = H5Aget_num_attrs (object);
    for (int i = 0; i < count; i++)
      {
        Id attribute (H5Aopen_by_idx (object, ".", H5_INDEX_NAME, H5_ITER_INC, i, H5P_DEFAULT, H5P_DEFAULT), H5Aclose,
                      "h5info: an attribute cannot be opened");
        char name[1024] = "";
        H5Aget_name (attribute, sizeof name, name);
        Id type (H5Aget_type (attribute), H5Tclose, "h5shim: no type");
        octave_scalar_map item;
        item.setfield ("Name", std::string (name));
        item.setfield ("Value", class_of (type) == "other" ? octave_value (Matrix ()) : attribute_value (attribute, quoted (name)));
        items.push_back (item);
      }
    return struct_array (items, {"Name", "Value"});
  }

  octave_scalar_map dataset_info (hid_t dataset, const std::string& name)
  {
    Id space (H5Dget_space (dataset), H5Sclose, "h5shim: no extent");
    Id type (H5Dget_type (dataset), H5Tclose, "h5shim: no type");
    Sizes most, now = extent (space, &most);
    octave_scalar_map sizes, kind, item;
    sizes.setfield ("Size", row_of (now));
    sizes.setfield ("MaxSize", row_of (most));
    kind.setfield ("Class", class_of (type));
    item.setfield ("Name", name);
    item.setfield ("Datatype", kind);
    item.setfield ("Dataspace", sizes);
    item.setfield ("Attributes", attributes_info (dataset));
    return item;
  }

  herr_t remember (hid_t, const char *name, const H5L_info_t *, void *names)
  {
    static_cast<std::vector<std::string> *> (names)->push_back (name);
    return 0;
  }

  octave_scalar_map group_info (hid_t group, const std::string& path)
  {
    std::vector<std::string> names;
    H5Literate (group, H5_INDEX_NAME, H5_ITER_INC, nullptr, remember, &names);
    std::vector<octave_scalar_map> groups, datasets;
    for (const std::string& name : names)
      {
        Id object (H5Oopen (group, name.c_str (), H5P_DEFAULT), H5Oclose, "h5info: " + quoted (name) + " cannot be opened");
        if (H5Iget_type (object) == H5I_GROUP)
          groups.push_back (group_info (object, (path == "/" ? "" : path) + "/" + name));
        else if (H5Iget_type (object) == H5I_DATASET)
          datasets.push_back (dataset_info (object, name));
      }
    octave_scalar_map item;
    item.setfield ("Name", path);
    item.setfield ("Groups", struct_array (groups, {"Name", "Groups", "Datasets", "Attributes"}));
    item.setfield ("Datasets", struct_array (datasets, {"Name", "Datatype", "Dataspace", "Attributes"}));
    item.setfield ("Attributes", attributes_info (group));
    return item;
  }

  octave_value info (const std::string& file, const std::string& path)
  {
    Id handle (open_file (file, H5F_ACC_RDONLY), H5Fclose, no_file (file));
    Id object (H5Oopen (handle, path.c_str (), H5P_DEFAULT), H5Oclose, no_object (file, path));
    bool dataset = H5Iget_type (object) == H5I_DATASET;
    octave_scalar_map item = dataset ? dataset_info (object, path.substr (path.rfind ('/') + 1)) : group_info (object, path);
    item.setfield ("Filename", file);
    return item;
  }
}

DEFUN_DLD (h5shim, args, , "h5shim (VERB, FILE, PATH, ...): HDF5 for the tests of matlab/; see h5shim.cc")
{
  H5Eset_auto2 (H5E_DEFAULT, nullptr, nullptr);
  const std::string verb = args(0).string_value (), file = args(1).string_value (), path = args(2).string_value ();
  if (verb == "create")
    create (file, path, args);
  else if (verb == "write")
    write (file, path, args);
  else if (verb == "read")
    return read (file, path, args);
  else if (verb == "writeatt")
    writeatt (file, path, args);
  else if (verb == "readatt")
    return readatt (file, path, args);
  else if (verb == "info")
    return info (file, path);
  else
    error ("h5shim: '%s' is no verb; use create, write, read, writeatt, readatt or info", verb.c_str ());
  return octave_value_list ();
}
