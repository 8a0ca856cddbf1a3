"""The sets of requirements that build trees, each resolved to the versions that it would choose alone.

Build environments are isolated, and so is their resolution. Equal sets are resolved once. One resolution of all sets
gives most of them just what they would choose alone; those that a bound of another set holds back are resolved again,
without it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from packaging.requirements import Requirement

from toolkit.core import console
from toolkit.core.errors import FinalError, UserError
from toolkit.engines.catalogue import url_error
from toolkit.engines.engine import ConflictError, Request, Resolver, UnmetError
from toolkit.engines.source_preference import SourcePreference
from toolkit.model import markers, requirement_texts
from toolkit.model.lock import DirectRequirement
from toolkit.model.names import NAME, normalize
from toolkit.model.pins import Pin, Pinned
from toolkit.resolve import build_ages, pin_closure
from toolkit.resolve.fetched_sources import Sources
from toolkit.resolve.free_choice import FreeChoice
from toolkit.resolve.source_tree import SourceTree

Requirements = frozenset[str]
#: What stands in an error for the builds that have these requirements: each is told by itself.
_ITSELF = "building \0"


@dataclass(kw_only=True)
class BuildSets:
    """The trees that are built, by key, the set that builds each (`of`), and what each set resolves to.

    A key is that of a pin, or any other text. `resolver` leaves out what `preference` does.
    """

    resolver: Resolver
    preference: SourcePreference
    sources: Sources
    request: Request = field(init=False)
    trees: dict[str, SourceTree] = field(default_factory=dict)
    of: dict[str, Requirements] = field(default_factory=dict)
    _resolved: dict[Requirements, tuple[Pin, ...]] = field(default_factory=dict)
    _unmet: dict[Requirements, UserError] = field(default_factory=dict)
    _given: dict[str, Pin] = field(default_factory=dict)
    _aged: dict[str, Mapping[str, str]] = field(default_factory=dict)
    _loosened: set[str] = field(default_factory=set)

    def begin_service(self, request: Request, given: Iterable[Pin]) -> None:
        """Turn to a service; a set that names a given distribution has it, which no engine chose."""
        self.request = request
        self._given |= {pin.name: pin for pin in given}

    def add(self, key: str, pins: Sequence[Pin]) -> None:
        """Add a set that is resolved already, under a key of its own."""
        self.of[key] = frozenset({f"{key}: {pin.key}" for pin in pins})
        self._resolved[self.of[key]] = tuple(pins)

    def pins(self, key: str) -> tuple[Pin, ...]:
        """Return what builds a tree; nothing as long as that is not resolved."""
        return self._resolved.get(self.of.get(key, frozenset()), ())

    def keys(self, key: str) -> set[str]:
        """Return the keys of what builds a tree."""
        return {pin.key for pin in self.pins(key)}

    def every_pin(self) -> Mapping[str, Pin]:
        """Return all that builds anything, by key."""
        return {pin.key: pin for pins in self._resolved.values() for pin in pins}

    def unresolved(self) -> set[Requirements]:
        """Return the sets that nothing was chosen for yet."""
        return set(self.of.values()) - self._resolved.keys()

    def is_resolved(self, requirements: Requirements) -> bool:
        """Tell whether something was chosen for a set, or nothing can be."""
        return requirements in self._resolved

    def has_failed(self, requirements: Requirements) -> bool:
        """Tell whether nothing can be chosen for a set."""
        return requirements in self._unmet

    def is_unmet(self, key: str) -> bool:
        """Tell whether no release satisfies what builds a tree."""
        return isinstance(self._failure(key), UnmetError)

    def withdrawn(self, key: str) -> str:
        """Return the newest release (`name==version`) of what only withdrawn ones satisfy, where a tree lacks that."""
        error = self._failure(key)
        return error.withdrawn if isinstance(error, ConflictError) else ""

    def fault(self, key: str) -> UserError | None:
        """Return why nothing can be chosen for what builds a tree."""
        tree, error = self.trees.get(key), self._failure(key)
        if not tree or not error:
            return None
        shown = f"building {tree.name} {key.partition('==')[2]}".rstrip()
        return UserError(error.what.replace(_ITSELF, shown), error.hint, error.details)

    def _failure(self, key: str) -> UserError | None:
        return self._unmet.get(self.of.get(key, frozenset()))

    def added(self, key: str) -> Requirements:
        """Return what lines of build-requirements.txt add to what builds a tree."""
        return frozenset(line.requirement for line in self.request.added if line.is_for(key))

    def bounded(self, key: str, requirements: Requirements) -> Requirements:
        """Return the requirements of a tree with bounds by its age, but for what build-requirements.txt names.

        Constraints hold besides; where both leave nothing, there are no bounds (see `_loosen`).
        """
        if key in self._loosened:
            return requirements
        own = requirements.difference(self._aged.get(key, {}))
        pythons, words = self.request.targets.pythons, self.trees[key].build_system.words
        found = build_ages.bounds(own, self.sources.uploaded(key), words, pythons)
        said = names_in(self.added(key))
        self._aged[key] = {text: reason for text, reason in found.items() if Requirement(text).name not in said}
        return own.union(self._aged[key])

    def bounds(self, keys: Iterable[str]) -> tuple[DirectRequirement, ...]:
        """Return the bounds that builds of trees got by their age, as the lock tells them."""
        return tuple(
            DirectRequirement(
                source=key.partition("==")[0],
                name=normalize(Requirement(text).name),
                kind="build",
                text=text,
                origin=reason,
            )
            for key in sorted(keys)
            for text, reason in self._aged.get(key, {}).items()
        )

    def resolve(self) -> None:
        """Resolve all new sets, each to what it would choose alone."""
        # Those of which nothing satisfied the bounds of their age have none then.
        while new := self.unresolved():
            self._resolved |= {requirements: () for requirements in new if not requirements}
            todo = sorted(filter(None, new), key=_freedom)
            while todo:
                todo = self._resolve_together(todo)

    def _resolve_together(self, sets: list[Requirements]) -> list[Requirements]:
        """Resolve all sets at once, and return those that others hold back; at least one set is resolved."""
        if len(sets) == 1:
            self._resolve_alone(sets)
            return []
        try:
            joint = self.resolver.resolve(self.request_for(sets))
        except FinalError:
            raise
        except UserError as error:
            console.debug(f"build requirements have no common versions, so some sets get their own:\n{error}")
            names = error.names if isinstance(error, UnmetError) else frozenset()
            at_fault = [requirements for requirements in sets if names & names_in(requirements)]
            bounded = [requirements for requirements in sets if _bounds(requirements)]
            self._resolve_alone(at_fault or bounded or sets)
            return [requirements for requirements in sets if requirements not in self._resolved]
        self.sources.trees(joint)
        pythons, platforms = self.request.targets.pythons, self.request.platforms
        held = []
        for requirements in sets:
            part = pin_closure.closure(requirements, joint, self.sources.certain_requirements, pythons, platforms)
            if part is None:
                self._resolve_alone([requirements])
            elif self._free_choice(requirements).is_free(part):
                self._take(requirements, part.pins)
            else:
                held.append(requirements)
        if len(held) == len(sets):
            self._resolve_alone([held.pop(0)])
        return held

    def _resolve_alone(self, sets: Iterable[Requirements]) -> None:
        for requirements in sets:
            try:
                self._take(requirements, self.resolver.resolve(self.request_for([requirements])))
            except FinalError:
                raise
            except UserError as error:
                if not (isinstance(error, ConflictError) and self._loosen(requirements, error)):
                    error.what = error.what.replace(self._shown([requirements]), _ITSELF)
                    self._unmet[requirements] = error
                # Nobody has these any more, or what has them cannot be built.
                self._resolved[requirements] = ()

    def _loosen(self, requirements: Requirements, conflict: ConflictError) -> bool:
        """Take the bounds of age from the trees with these requirements; returns whether there were any."""
        keys = [key for key, found in self.of.items() if found == requirements and self._aged.get(key)]
        if not keys:
            return False
        console.debug(f"no bounds by age for what builds {', '.join(keys)}:\n{conflict}")
        for key in keys:
            self.of[key] = requirements.difference(self._aged.pop(key))
            self._loosened.add(key)
        return True

    def _take(self, requirements: Requirements, pins: Sequence[Pin]) -> None:
        """Note what a set resolves to. Raises `UnmetError` where a package of the project would be among it."""
        for who, texts in ("", requirements), *((pin.name, self._requires(pin)) for pin in pins):
            for text in texts:
                if self._is_local(text):
                    asked = f"`{text}`, which {who} requires," if who else f"`{text}`"
                    shown = self._shown([requirements])
                    raise UnmetError(
                        f"{shown}: {asked} is a package of this project, which builds nothing else",
                        "rename that package, or leave it out of PACKAGES=, if an index has what is meant; what builds "
                        "one package alone may stand in that (`backend-path` of [build-system])",
                    )
        given = (pin for name, pin in self._given.items() if name in names_in(requirements))
        self._resolved[requirements] = (*pins, *given)

    def _requires(self, pin: Pin) -> Sequence[str]:
        known = self.sources.reader.known(pin)
        return known.requires if known else ()

    def _is_local(self, text: str) -> bool:
        """Tell whether a requirement names a package of the project, which no engine is shown."""
        name = NAME.match(text.strip())
        # Few do, and there are thousands.
        if not name or normalize(name[0]) not in self.request.local:
            return False
        requirement = requirement_texts.parse(text)
        return requirement is not None and markers.possible(
            str(requirement.marker or ""), self.request.targets.pythons, self.request.platforms
        )

    def _free_choice(self, requirements: Requirements) -> FreeChoice:
        reader = self.sources.reader
        preferred = {item.name: item.version for item in self._preferences([requirements])}
        return FreeChoice(
            index=reader.index,
            binary=reader.binary,
            request=self.request,
            preferred=preferred,
            left_out=self.preference.left_out,
        )

    def _preferences(self, sets: Sequence[Requirements]) -> tuple[Pinned, ...]:
        """Return what to keep of earlier locks: of the builds that have these sets first. One version a name."""
        kept = self.request.kept_builds
        wanted = set(sets)
        own = (pinned for key in self.trees if self.of.get(key) in wanted for pinned in kept.of(key))
        found: dict[str, Pinned] = {}
        for preference in (*own, *kept.free.values()):
            found.setdefault(preference.name, preference)
        return tuple(found.values())

    def request_for(self, sets: Sequence[Requirements]) -> Request:
        """Return what to ask an engine for, to have all these sets at once."""
        requirements = frozenset().union(*sets)
        return replace(
            self.request,
            requirements=tuple(sorted(requirements)),
            constraints=tuple(self.request.build_constraints),
            origins={**self.request.build_constraints, **self._origins(sets)},
            preferences=self._preferences(sets),
        )

    def _origins(self, sets: Sequence[Requirements]) -> dict[str, str]:
        """Return the trees that name each requirement of these sets, as errors show them."""
        texts = frozenset().union(*sets)
        told = {text: self._shown([found for found in sets if text in found]) for text in texts}
        return told | {line.requirement: line.origin for line in self.request.added if line.requirement in told}

    def _shown(self, sets: Sequence[Requirements]) -> str:
        names = {tree.name for key, tree in self.trees.items() if self.of.get(key) in sets}
        return f"building {', '.join(sorted(names)[:3])}"

    def forget(self, key: str) -> None:
        """Forget all sets that a pin is a part of, and what they build."""
        stale = {requirements for requirements, pins in self._resolved.items() if key in {pin.key for pin in pins}}
        self._resolved = {found: pins for found, pins in self._resolved.items() if found not in stale}
        for built in [built for built, found in self.of.items() if found in stale]:
            del self.of[built]
            self.trees.pop(built, None)


def normal(requirements: Iterable[str], who: str) -> Requirements:
    """Return requirements in one spelling, so that equal sets are seen to be equal; `who` has them.

    Raises `UserError` for what is no requirement, and for a URL: all that builds comes from an index.
    """
    result = set()
    for text in requirements:
        requirement = requirement_texts.required(text, f"building {who}")
        if requirement.url:
            raise url_error(f"building {who}", text)
        result.add(requirement_texts.normal(requirement))
    return frozenset(result)


def names_in(requirements: Requirements) -> set[str]:
    """Return the names in a set."""
    return {Requirement(text).name for text in requirements}


def _bounds(requirements: Requirements) -> int:
    return sum(operator in text for text in requirements for operator in ("<", "==", "~="))


def _freedom(requirements: Requirements) -> tuple[int, list[str]]:
    """Sort sets without upper bounds first."""
    return _bounds(requirements), sorted(requirements)
