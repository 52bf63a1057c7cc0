"""Which layer of the teacher each layer of the student learns from.

A map is a tuple of pairs (student layer, teacher layer). Both count from 1, the first block; 0 is the output
of the embeddings, as in TinyBERT's g(m). A count from 0 would shift the map by one layer in silence, which is
why `check` wants the map's own ends told.
"""

from collections.abc import Iterable

LayerMap = tuple[tuple[int, int], ...]


def uniform(student_layers: int, teacher_layers: int) -> LayerMap:
    """g(m) = m N / M for m = 1 to M (TinyBERT, Jiao et al. 2020): the last learns from the last.

    Raises ValueError unless M divides N.

    >>> uniform(3, 6)
    ((1, 2), (2, 4), (3, 6))
    """
    _check_depths(student_layers, teacher_layers)
    if teacher_layers % student_layers:
        raise ValueError(
            f"a uniform map needs a number of student layers that divides the teacher's "
            f"{teacher_layers}, got {student_layers}; use `even`, or write the pairs yourself and see `check`"
        )
    return even(student_layers, teacher_layers)


def even(student_layers: int, teacher_layers: int) -> LayerMap:
    """Layer m learns from the layer m N / M, rounded up, for any number of layers up to the teacher's.

    `uniform` where M divides N; the last always learns from the last.

    >>> even(4, 6)
    ((1, 2), (2, 3), (3, 5), (4, 6))
    """
    _check_depths(student_layers, teacher_layers)
    return tuple((m, -(-m * teacher_layers // student_layers)) for m in range(1, student_layers + 1))


def skip(student_layers: int, teacher_layers: int) -> LayerMap:
    """PKD-Skip (Sun et al. 2019): every N/M-th layer of the teacher, without the last pair.

    The student's last layer feeds the classifier, which learns from the teacher's output already. For 6
    layers of 12: teacher layers 2, 4, 6, 8, 10, as in the paper. Raises ValueError as `uniform` does, and for
    a student of one layer.

    >>> skip(3, 6)
    ((1, 2), (2, 4))
    """
    return _without_last(uniform(student_layers, teacher_layers))


def last(student_layers: int, teacher_layers: int) -> LayerMap:
    """PKD-Last: the teacher's last layers, without the last pair. For 6 of 12: 7, 8, 9, 10, 11.

    >>> last(3, 6)
    ((1, 4), (2, 5))
    """
    _check_depths(student_layers, teacher_layers)
    offset = teacher_layers - student_layers
    return _without_last(tuple((layer, layer + offset) for layer in range(1, student_layers + 1)))


def check(pairs: Iterable[tuple[int, int]], student_layers: int, teacher_layers: int) -> LayerMap:
    """The pairs as a map, if every layer exists on its side and both sides rise.

    Raises ValueError: naming the pair that does not fit, or the order.

    >>> check([(1, 1), (2, 6)], 2, 6)
    ((1, 1), (2, 6))
    """
    found = tuple((int(student), int(teacher)) for student, teacher in pairs)
    if not found:
        raise ValueError("the map is empty: name at least one pair (student layer, teacher layer)")
    for student, teacher in found:
        if not (1 <= student <= student_layers and 1 <= teacher <= teacher_layers):
            raise ValueError(
                f"pair ({student}, {teacher}): blocks count from 1 to {student_layers} in the student and "
                f"from 1 to {teacher_layers} in the teacher; the embeddings have a loss of their own"
            )
    students, teachers = [pair[0] for pair in found], [pair[1] for pair in found]
    if students != sorted(set(students)) or teachers != sorted(teachers):
        raise ValueError(f"both sides of a map must rise, the student's strictly: {found}")
    return found


def _without_last(pairs: LayerMap) -> LayerMap:
    if len(pairs) < 2:
        raise ValueError(
            "a student of one layer has no layer below its last; patient distillation needs at least 2 layers"
        )
    return pairs[:-1]


def _check_depths(student_layers: int, teacher_layers: int) -> None:
    if not 1 <= student_layers <= teacher_layers:
        raise ValueError(
            f"the student needs 1 to {teacher_layers} layers, as many as its teacher, got {student_layers}"
        )
