from . import host
