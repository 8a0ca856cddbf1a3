# Prints what `make` can be followed by: targets, and settings with their `=`. Read from the comments that help.awk reads.

/^#: / { explained = 1; next }
/^\.PHONY:/ { next }
explained && /^[A-Z][A-Z0-9_]* \?=/ { print $1 "="; explained = 0; next }
explained && /^reads_[a-z-]+ =/ { print substr($1, 7); explained = 0; next }
explained && /^[a-z][a-z0-9-]*:([^=]|$)/ { sub(/:.*/, ""); sub(/^common-/, ""); print; explained = 0; next }
{ explained = 0 }
