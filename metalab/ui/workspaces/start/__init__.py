"""The Start page: experiments that begin with one click."""
