import Alert from '@cloudscape-design/components/alert';
import Button from '@cloudscape-design/components/button';
import { Component, type ReactNode } from 'react';

type Props = { readonly children: ReactNode /** Another one tries again. */; readonly place: string };

/** Keeps a page that breaks from taking the console with it. A page that was deployed anew meanwhile needs loading. */
export class PageBoundary extends Component<Props, { readonly broken: string | undefined }> {
  override state: { readonly broken: string | undefined } = { broken: undefined };

  static getDerivedStateFromError(error: unknown) {
    return { broken: error instanceof Error ? error.message : String(error) };
  }

  override componentDidUpdate(before: Props): void {
    if (before.place !== this.props.place && this.state.broken !== undefined) this.setState({ broken: undefined });
  }

  override render(): ReactNode {
    if (this.state.broken === undefined) return this.props.children;
    return (
      <Alert
        type="error"
        header="This page broke"
        action={<Button onClick={() => location.reload()}>Load it anew</Button>}
      >
        {this.state.broken}
      </Alert>
    );
  }
}
