"""Work on nested structures of dict, list and tuple: flatten, map, pack, compare."""

from kerata.core.tree import MAP_TO_NONE as MAP_TO_NONE
from kerata.core.tree import assert_same_paths as assert_same_paths
from kerata.core.tree import assert_same_structure as assert_same_structure
from kerata.core.tree import flatten as flatten
from kerata.core.tree import flatten_with_path as flatten_with_path
from kerata.core.tree import is_nested as is_nested
from kerata.core.tree import lists_to_tuples as lists_to_tuples
from kerata.core.tree import map_shape_structure as map_shape_structure
from kerata.core.tree import map_structure as map_structure
from kerata.core.tree import map_structure_up_to as map_structure_up_to
from kerata.core.tree import pack_sequence_as as pack_sequence_as
from kerata.core.tree import traverse as traverse
